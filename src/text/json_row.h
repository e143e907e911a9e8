// Parses one JSON object, a line of a file or a message of a stream, into the cells of a row; numbers are exact.
#pragma once

#include <nlohmann/json.hpp>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "columns/column.h"

namespace pagoda::text {

struct JsonCell {
  std::string key;
  bool null = false;
  columns::ColumnType type = columns::ColumnType::text;
  std::string text;  // text and decimal
  int64_t integer = 0;
  double real = 0;
  std::vector<std::string> elements;  // texts
};

class JsonRow {
 public:
  // False if the line is not a JSON object, or has a key twice: error() says why. NaN and Infinity, which Python writes
  // though they are not JSON, count as null.
  bool parse(std::string_view line);
  const std::string& error() const { return error_; }

  size_t size() const { return size_; }
  const JsonCell& operator[](size_t i) const { return cells_[i]; }
  const JsonCell* find(std::string_view key, size_t& hint) const;  // hint: where it was found last
  uint64_t not_numbers() const { return not_numbers_; }            // NaN and Infinity in all lines so far
  uint64_t dropped_nulls() const { return dropped_nulls_; }        // nulls in lists, in all lines so far

 private:
  class Events;
  bool parse_strictly(std::string_view line);
  JsonCell& add(std::string_view key);

  std::vector<JsonCell> cells_;
  size_t size_ = 0;
  std::string error_, repaired_;
  uint64_t not_numbers_ = 0, dropped_nulls_ = 0;
};

// Appends rows to typed columns, each named by a key. A missing key is null. A column has the type of its first value;
// a value of another type widens it, as in Column::push_cell().
class JsonColumns {
 public:
  explicit JsonColumns(std::vector<std::string> names) : names_(std::move(names)), hints_(names_.size()) {}
  // The columns hold `rows` rows.
  void append(const JsonRow& row, size_t rows, std::vector<columns::Column>& columns);

 private:
  std::vector<std::string> names_;
  std::vector<size_t> hints_;  // where each key was found last
};

}  // namespace pagoda::text
