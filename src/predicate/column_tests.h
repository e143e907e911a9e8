// Evaluates one test of a filter over the cells of a column.
#pragma once

#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "columns/column.h"
#include "predicate/syntax.h"

namespace pagoda::predicate {

// Three-valued logic: `and` is the minimum, `or` the maximum, `not` is kYes - t. Only kYes matches.
using Truth = uint8_t;
inline constexpr Truth kNo = 0, kUnknown = 1, kYes = 2;

inline void invert(std::vector<Truth>& truths) {
  for (auto& t : truths) t = static_cast<Truth>(kYes - t);
}

// Numbers compare exactly in the precision of the column: with integers and decimals every digit of a literal counts;
// in a column of doubles, floats or halves the literal is rounded to the nearest one.
//
// Caches how a column's texts read as numbers, times or true/false. Thread-safe.
class ColumnTests {
 public:
  explicit ColumnTests(const columns::Column& column) : column_(column), rows_(column.rows()) {}  // borrowed

  // The truth of each row. Error{usage}, with the position in the expression: the test does not fit the column.
  // `judge`, a column of the same name and type, decides whether texts compare as numbers, times or true/false if it
  // has any cells: items added later are compared as the catalogue is, and a cell that does not fit counts as null.
  std::vector<Truth> test(std::string_view expression, const FilterNode& node,
                          const ColumnTests* judge = nullptr) const;

 private:
  // A text column read as another type.
  template <class T>
  struct Reading {
    std::once_flag once;
    bool fits = true;                     // every cell that is not null is of this type
    bool any = false;                     // some cell is not null
    std::string misfit;                   // a cell of another type
    std::vector<std::optional<T>> cells;  // if fits
  };
  struct Against;  // one value of one test
  template <class T, class Parse>
  const Reading<T>& read(Reading<T>& reading, Parse parse) const;
  const Reading<double>& numbers() const;  // the nearest doubles
  const Reading<int64_t>& times() const;
  const Reading<bool>& booleans() const;
  // The truth of holds(row, cell) for each cell of the type; unknown for others.
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

}  // namespace pagoda::predicate
