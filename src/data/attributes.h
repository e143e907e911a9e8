// A table of attributes of items or users, joined to the log by id: title, genres, price, release date.
#pragma once

#include <string>
#include <vector>

#include "columns/column.h"
#include "columns/interner.h"
#include "columns/vector_column.h"
#include "data/bad_rows.h"
#include "formats/reader.h"

namespace pagoda::data {

struct AttributeOptions {
  std::vector<std::string> paths;
  files::Format format = files::Format::automatic;
  std::string id;                      // name of the id column
  std::vector<std::string> vectors{};  // columns whose cells are vectors; others that look like it are left out
  columns::TimeForm times;             // for columns that do not show their form: that of the log
  columns::TableForm form{};
  BadRowOptions bad_rows;
};

// All columns of the file except the id. Row i belongs to ids[i].
struct Attributes {
  columns::Interner ids;
  std::vector<columns::Column> columns;
  std::vector<std::shared_ptr<const columns::VectorColumn>> vectors{};  // apart: no filter or answer has them

  size_t rows() const { return ids.size(); }
  const columns::Column* find(std::string_view name) const;                                // nullptr if there is none
  std::shared_ptr<const columns::VectorColumn> find_vectors(std::string_view name) const;  // likewise
  std::vector<std::string> names() const;                                                  // of `columns`
};

// One table of both: the rows of `before`, each as `now` has it if it has the id, then the rest of `now`. Cells of a
// column that one of them lacks are null; a column whose types differ takes one that holds both (Column::push_cell()).
Attributes with_newer(const Attributes& before, const Attributes& now);

// Reads the table. A second row of the same id is a bad row, and so is a row whose id is empty or not UTF-8.
Attributes load_attributes(const AttributeOptions& options);

}  // namespace pagoda::data
