// The attributes of a catalogue arranged for filters: an expression becomes a few operations on sets.
//
// Of a column of few different values (and of every column of texts and lists) it holds which items have each value: a
// roaring bitmap (Chambi, Lemire, Kaser, Godin, "Better bitmap performance with Roaring bitmaps", 2016), or a plain list where
// they are few. A test is then taken once a value. Of other columns of numbers and times it holds the least and the largest of
// each zone of neighbouring items: zones that lie on one side of a comparison are taken or left whole.
//
// A column is arranged when it is first asked for, or ahead. May be shared between threads.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/background.h"
#include "filter/filter.h"

namespace pagoda::filter {

class FilterIndex {
 public:
  // `attributes` is borrowed; row_of as for evaluate_filter_rowwise.
  FilterIndex(const data::Attributes& attributes, std::span<const uint32_t> row_of, size_t items);
  ~FilterIndex();

  // What evaluate_filter_rowwise gives, and its errors; only the cells of the catalogue's items count.
  // `judge`: of another table with the same columns, as for ColumnTests::test().
  Filter compile(std::string_view expression, const FilterIndex* judge = nullptr) const;

  // The columns that have been arranged, and arranges such ones of the same table, or of one with the same columns, ahead.
  std::vector<std::string> arranged() const;
  // With a throttle a search that needs a column meanwhile makes it itself, and does not wait.
  void arrange(std::span<const std::string> columns, BackgroundThrottle* throttle = nullptr) const;

  // For a quota: of each item the number of its value among the different values of the column; Interner::kNone where it
  // has none.
  // Error{usage}: no such column (with the nearest), or a column of lists.
  std::vector<uint32_t> groups(std::string_view column) const;

 private:
  class ColumnSets;
  class Evaluator;
  const ColumnSets& sets(const columns::Column& column, BackgroundThrottle* throttle = nullptr) const;

  const data::Attributes& attributes_;
  size_t items_;
  std::vector<uint32_t> attribute_of_;                // item row to attribute row, Interner::kNone
  std::vector<std::unique_ptr<ColumnSets>> columns_;  // parallel to attributes_.columns
};

}  // namespace pagoda::filter
