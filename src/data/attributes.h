// A table of items or users, joined to the log by id: title, genres, price, released.
#pragma once

#include <string>
#include <vector>

#include "columns/column.h"
#include "columns/interner.h"
#include "data/bad_rows.h"
#include "formats/reader.h"

namespace pagoda::data {

struct AttributeOptions {
  std::vector<std::string> paths;
  files::Format format = files::Format::automatic;
  std::string id;           // the id's column
  columns::TimeForm times;  // of columns that do not tell it themselves: that of the log
  columns::TableForm form{};
  BadRowOptions bad_rows;
};

// Row i belongs to ids[i]. All columns of the file but the id.
struct Attributes {
  columns::Interner ids;
  std::vector<columns::Column> columns;

  size_t rows() const { return ids.size(); }
  const columns::Column* find(std::string_view name) const;  // nullptr when there is none
  std::vector<std::string> names() const;
};

// A second row of the same id is a bad row, and so is an empty or non-UTF-8 id.
Attributes load_attributes(const AttributeOptions& options);

}  // namespace pagoda::data
