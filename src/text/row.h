// A row of cells by their keys, as a line of JSON or a message of a stream gives it; numbers are exact.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "columns/column.h"

namespace pagoda::text {

struct Cell {
  std::string key;
  bool null = false;
  columns::ColumnType type = columns::ColumnType::text;
  std::string text;  // text and decimal
  int64_t integer = 0;
  double real = 0;
  std::vector<std::string> elements;  // texts

  void set_text(std::string_view value);
  void set_integer(int64_t value);
  void set_time(int64_t time_us);
  void set_real(double value);  // NaN, which no column holds: null
};

// Its cells are kept for the next row: clear() frees nothing.
class Row {
 public:
  void clear() { size_ = 0; }
  Cell& add(std::string_view key);  // an empty text
  Cell& last() { return cells_[size_ - 1]; }

  size_t size() const { return size_; }
  const Cell& operator[](size_t i) const { return cells_[i]; }
  const Cell* find(std::string_view key, size_t& hint) const;  // hint: where it was found last

 private:
  std::vector<Cell> cells_;
  size_t size_ = 0;
};

// Appends rows to typed columns, each named by a key. A missing key is null. A column has the type of its first value;
// a value of another type widens it, as in Column::push_cell().
class RowColumns {
 public:
  explicit RowColumns(std::vector<std::string> names) : names_(std::move(names)), hints_(names_.size()) {}
  // The columns hold `rows` rows.
  void append(const Row& row, size_t rows, std::vector<columns::Column>& columns);

 private:
  std::vector<std::string> names_;
  std::vector<size_t> hints_;  // where each key was found last
};

}  // namespace pagoda::text
