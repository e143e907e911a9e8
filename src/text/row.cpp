#include "text/row.h"

#include <cmath>

namespace pagoda::text {

void Cell::set_text(std::string_view value) {
  type = columns::ColumnType::text;
  text = value;
}

void Cell::set_integer(int64_t value) {
  type = columns::ColumnType::integer;
  integer = value;
}

void Cell::set_time(int64_t time_us) {
  set_integer(time_us);
  type = columns::ColumnType::time;
}

void Cell::set_real(double value) {
  null = std::isnan(value);
  type = columns::ColumnType::real;
  real = value;
}

Cell& Row::add(std::string_view key) {
  if (size_ == cells_.size()) cells_.emplace_back();
  auto& cell = cells_[size_++];
  cell.key = key;
  cell.null = false;
  cell.type = columns::ColumnType::text;
  cell.text.clear();
  cell.elements.clear();
  return cell;
}

const Cell* Row::find(std::string_view key, size_t& hint) const {
  if (hint < size_ && cells_[hint].key == key) return &cells_[hint];
  for (hint = 0; hint < size_; ++hint)
    if (cells_[hint].key == key) return &cells_[hint];
  return nullptr;
}

namespace {

void push_value(columns::Column& column, const Cell& cell) {
  switch (column.type) {
    case columns::ColumnType::text:
    case columns::ColumnType::decimal: return column.push_text(cell.text);
    case columns::ColumnType::real: return column.push_real(cell.real);
    case columns::ColumnType::texts:
      for (const auto& element : cell.elements) column.push_element(element);
      return column.end_list();
    default: return column.push_integer(cell.integer);
  }
}

void push(columns::Column& column, const Cell* value, size_t rows) {
  if (!value || value->null) return column.push_null();
  if (value->type == column.type && rows > 0) return push_value(column, *value);
  columns::Column cell;
  cell.type = value->type;
  push_value(cell, *value);
  if (rows == 0) column.type = value->type;
  column.push_cell(cell, 0);
}

}  // namespace

void RowColumns::append(const Row& row, size_t rows, std::vector<columns::Column>& columns) {
  for (size_t c = 0; c < names_.size(); ++c) push(columns[c], row.find(names_[c], hints_[c]), rows);
}

}  // namespace pagoda::text
