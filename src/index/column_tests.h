// One test of a filter over the cells of one column.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "data/column.h"
#include "index/filter_syntax.h"

namespace pagoda {

// Three-valued: `and` is the least, `or` the greatest, `not` the mirror image. Only `yes` matches.
using Truth = uint8_t;
inline constexpr Truth kNo = 0, kUnknown = 1, kYes = 2;

inline void invert(std::vector<Truth>& truths) {
  for (auto& t : truths) t = static_cast<Truth>(kYes - t);
}

// Remembers how a column's texts read as numbers, times or true/false, from one test to the next. Not thread-safe.
class ColumnTests {
 public:
  // Both are borrowed.
  ColumnTests(std::string_view expression, const Column& column)
      : expression_(expression), column_(column), rows_(column.rows()) {}

  // The truth of each row. Error{usage}, with the place in the expression: the test does not fit the column.
  std::vector<Truth> test(const FilterNode& node);

 private:
  // A text column read as another type; `fits` when each cell that is there is of it.
  template <class T>
  struct Reading {
    bool fits = true, done = false;
    std::string stranger;  // a cell that is not
    std::vector<std::optional<T>> cells;
  };
  template <class T, class Parse>
  const Reading<T>& read(Reading<T>& reading, Parse parse);
  const Reading<double>& numbers();
  const Reading<int64_t>& times();
  const Reading<bool>& booleans();

  std::vector<Truth> is_true(const FilterNode& node);
  std::vector<Truth> against(const FilterNode& node, FilterTest test, const FilterValue& value);
  std::vector<Truth> against_number(const FilterNode& node, FilterTest test, const FilterValue& value);
  std::vector<Truth> against_text(const FilterNode& node, FilterTest test, const FilterValue& value);
  [[noreturn]] void mismatch(const FilterNode& node, const FilterValue& value, std::string_view is,
                             std::string_view remedy) const;

  std::string_view expression_;
  const Column& column_;
  size_t rows_;
  Reading<double> numbers_;
  Reading<int64_t> times_;
  Reading<bool> booleans_;
};

}  // namespace pagoda
