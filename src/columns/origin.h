// Where cells stand that are being read, for what is said of them.
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "columns/notices.h"

namespace pagoda::columns {

// Of some rows of a file. Borrows the path and the notices.
struct Origin {
  Notices& notices;
  std::string_view path;
  uint64_t row = 0;  // the record, from 0, of the first of them

  std::string place(uint64_t cell) const { return fmt::format("{}: row {}", path, row + cell + 1); }
};

// How often one thing happened to the cells of a column, and to which first.
struct Tally {
  uint64_t count = 0, first = 0;

  void add(uint64_t cell) {
    if (count++ == 0) first = cell;
  }
  void tell(std::string_view column, std::string_view words, const Origin& origin) const {
    origin.notices.add(column, words, count, [&] { return origin.place(first); });
  }
};

}  // namespace pagoda::columns
