// The cells that a person said mean missing: data.null_values.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "columns/column.h"

namespace pagoda::columns {

class NullValues {
 public:
  // A word is met as it stands, blanks around a cell aside; of typed columns by its value: "-1" is the real -1 too.
  explicit NullValues(const std::vector<std::string>& words);

  bool empty() const { return words_.empty(); }
  bool holds(std::string_view text) const;
  // Makes such cells null, and takes such elements out of lists.
  void apply(Column& column) const;

 private:
  void apply_to_texts(Column& column) const;
  void apply_to_lists(Column& column) const;
  std::vector<std::string> words_;
  size_t longest_ = 0;
};

}  // namespace pagoda::columns
