// An index of item attributes for filters: an expression becomes a few set operations.
//
// A column with few distinct values, and every column of texts or lists, has an inverted index: for each value the set
// of its items, as a roaring bitmap (Chambi, Lemire, Kaser, Godin, "Better bitmap performance with Roaring bitmaps",
// 2016) or, if they are few, as a list. A test is evaluated once per value. Other columns of numbers and times have a
// zone map: the minimum and maximum of each zone of neighbouring items, so that zones on one side of a comparison are
// taken or skipped as a whole.
//
// A column's sets are built when a filter first needs them, or ahead of time by arrange(). Thread-safe.
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
  // Borrows `attributes`; row_of as for evaluate_filter_rowwise().
  FilterIndex(const data::Attributes& attributes, std::span<const uint32_t> row_of, size_t items);
  ~FilterIndex();

  // The result and errors of evaluate_filter_rowwise(), but only cells of catalogue items count. `judge`: the index of
  // another table with the same columns, as for ColumnTests::test().
  Filter compile(std::string_view expression, const FilterIndex* judge = nullptr) const;

  // The columns whose sets are built; and builds the sets of such columns ahead of time.
  std::vector<std::string> arranged() const;
  // With a throttle, a search that needs a column meanwhile builds it itself instead of waiting.
  void arrange(std::span<const std::string> columns, BackgroundThrottle* throttle = nullptr) const;

  // The quota group of each item, [items]: the number of its value among the column's distinct values; Interner::kNone
  // if it has none. Error{usage}: no such column (names the nearest), or a column of lists.
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
