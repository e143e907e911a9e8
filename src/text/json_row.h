// Parses one line of JSON into the cells of a row; numbers are exact. Private to this room.
#pragma once

#include <nlohmann/json.hpp>

#include <string>
#include <string_view>
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

}  // namespace pagoda::text
