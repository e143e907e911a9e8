// A table of items or users, joined to the log by id: title, genres, price, released.
#pragma once

#include <string>
#include <vector>

#include "columns/column.h"
#include "columns/interner.h"
#include "data/bad_rows.h"
#include "formats/reader.h"

namespace pagoda {

struct AttributeOptions {
  std::vector<std::string> paths;
  Format format = Format::automatic;
  std::string id;  // the id's column
  TimeForm times;  // of columns that do not tell it themselves: that of the log
  TableForm form{};
  BadRowOptions bad_rows;
};

// Row i belongs to ids[i]. All columns of the file but the id.
struct Attributes {
  Interner ids;
  std::vector<Column> columns;

  size_t rows() const { return ids.size(); }
  const Column* find(std::string_view name) const;  // nullptr when there is none
  std::vector<std::string> names() const;
};

// A second row of the same id is a bad row, and so is an empty or non-UTF-8 id.
Attributes load_attributes(const AttributeOptions& options);

}  // namespace pagoda
