// One test of a filter over the cells of one column.
#pragma once

#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "columns/column.h"
#include "filter/filter_syntax.h"

namespace pagoda::filter {

// Three-valued: `and` is the least, `or` the greatest, `not` the mirror image. Only `yes` matches.
using Truth = uint8_t;
inline constexpr Truth kNo = 0, kUnknown = 1, kYes = 2;

inline void invert(std::vector<Truth>& truths) {
  for (auto& t : truths) t = static_cast<Truth>(kYes - t);
}

// Numbers are compared exactly, and in the precision of the column: with integers and decimals every digit of a literal
// counts; a column of doubles, floats or halves is compared with the one that is nearest to the literal.
//
// Remembers how a column's texts read as numbers, times or true/false, from one test to the next. May be shared between
// threads.
class ColumnTests {
 public:
  explicit ColumnTests(const columns::Column& column) : column_(column), rows_(column.rows()) {}  // borrowed

  // The truth of each row. Error{usage}, with the place in the expression: the test does not fit the column. Whether texts are
  // compared as numbers, times or true/false is decided by the cells of `judge` (where it has any), a column of the same
  // name and type: what was added to a catalogue later is compared as the catalogue is; a cell that does not fit is null then.
  std::vector<Truth> test(std::string_view expression, const FilterNode& node,
                          const ColumnTests* judge = nullptr) const;

 private:
  // A text column read as another type.
  template <class T>
  struct Reading {
    std::once_flag once;
    bool fits = true;                     // each cell that is there is of it,
    bool any = false;                     // and one is there
    std::string stranger;                 // a cell that is not
    std::vector<std::optional<T>> cells;  // when it fits
  };
  struct Against;  // one value of one test
  template <class T, class Parse>
  const Reading<T>& read(Reading<T>& reading, Parse parse) const;
  const Reading<double>& numbers() const;  // the nearest doubles
  const Reading<int64_t>& times() const;
  const Reading<bool>& booleans() const;
  // The truth holds(row, cell) of each cell that is such a one.
  template <class T, class Parse, class Holds>
  std::vector<Truth> each(const Reading<T>& reading, Parse parse, Holds holds) const;

  std::vector<Truth> is_true(std::string_view expression, const FilterNode& node, const ColumnTests& judge) const;
  std::vector<Truth> is_null(bool wanted) const;
  std::vector<Truth> against(const Against& a) const;
  std::vector<Truth> against_integers(const Against& a) const;
  std::vector<Truth> against_reals(const Against& a) const;
  std::vector<Truth> against_numbers_in_text(const Against& a) const;
  std::vector<Truth> against_text(const Against& a) const;
  std::vector<Truth> against_list(const Against& a) const;

  const columns::Column& column_;
  size_t rows_;
  mutable Reading<double> numbers_;
  mutable Reading<int64_t> times_;
  mutable Reading<bool> booleans_;
};

}  // namespace pagoda::filter
