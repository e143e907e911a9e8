// Where the cells that are being read come from, for notices about them.
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "columns/notices.h"

namespace pagoda::columns {

// Some rows of a file. Borrows the path and the notices.
struct SourceRows {
  Notices& notices;
  std::string_view path;
  uint64_t row = 0;  // the record number of the first row, from 0

  std::string place(uint64_t cell) const { return fmt::format("{}: row {}", path, row + cell + 1); }
};

// How often one thing happened to the cells of a column, and to which cell first.
struct Tally {
  uint64_t count = 0, first = 0;

  void add(uint64_t cell) {
    if (count++ == 0) first = cell;
  }
  void tell(std::string_view column, std::string_view words, const SourceRows& source_rows) const {
    source_rows.notices.add(column, words, count, [&] { return source_rows.place(first); });
  }
};

}  // namespace pagoda::columns
