// An expression over the columns of a log, tested row by row while the log is read.
//
// The rows of a log come in batches, and what a text means must not depend on its batch. So the values of a test
// decide, not all cells as in a filter on items: compared with a number, a text counts as a number; with a time, as a
// time; otherwise as text. A cell that is no such value makes the test unknown, and is counted.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "columns/notices.h"
#include "predicate/column_tests.h"
#include "predicate/syntax.h"

namespace pagoda::predicate {

class RowPredicate {
 public:
  // `key` names the expression in messages: "data.where". An empty expression holds for every row. Error{usage}: a
  // syntax error, or `seen`, which is of users and items.
  RowPredicate(std::string expression, std::string key);

  bool empty() const { return expression_.empty(); }
  const std::string& expression() const { return expression_; }
  const std::vector<std::string>& columns() const { return columns_; }  // that it asks for, each once

  // Whether it holds for each row of the batch; nothing if it is empty. `places`: where in the batch each of columns()
  // stands. Null and unknown are false. Error{usage}: a test that does not fit a column, as an order between a text and
  // a list. Cells of another type go to `notices`.
  std::vector<bool> holds(const columns::RawBatch& batch, std::span<const size_t> places,
                          columns::Notices& notices) const;

 private:
  std::string expression_, key_;
  FilterNode root_{};
  std::vector<std::string> columns_;
};

}  // namespace pagoda::predicate
