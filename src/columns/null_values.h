// The cells that the user declared to mean missing: data.null_values.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "columns/column.h"

namespace pagoda::columns {

class NullValues {
 public:
  // A text cell matches a word exactly, apart from surrounding blanks. A typed cell matches by value: "-1" also matches
  // the real number -1.
  explicit NullValues(const std::vector<std::string>& words);

  bool empty() const { return words_.empty(); }
  bool holds(std::string_view text) const;
  // Makes such cells null, and removes such elements from lists.
  void apply(Column& column) const;

 private:
  void apply_to_texts(Column& column) const;
  void apply_to_lists(Column& column) const;
  std::vector<std::string> words_;
  size_t longest_ = 0;
};

}  // namespace pagoda::columns
