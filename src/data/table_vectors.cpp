#include "data/table_vectors.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <map>

#include "columns/list_text.h"
#include "columns/vector_cells.h"
#include "core/error.h"
#include "core/log.h"
#include "core/printable.h"
#include "data/vector_file.h"

namespace pagoda::data {

namespace {

constexpr size_t kEnough = 1000;  // cells to judge a column by

// The length that most lists have, so that one bad cell at the start does not decide.
size_t usual_length(const columns::Column& column, size_t rows) {
  std::map<size_t, size_t> lists;
  for (size_t row = 0; row < std::min(kEnough, rows); ++row) {
    size_t elements = 0;
    columns::for_each_listed(column, row, '\0', [&](std::string_view) { ++elements; });
    if (elements > 0) ++lists[elements];
  }
  const auto usual = std::ranges::max_element(lists, {}, [](const auto& l) { return l.second; });
  return usual == lists.end() ? 0 : usual->first;
}

void check_finite_rows(const std::string& path, math::RowsView rows) {
  std::vector<float> vector(rows.cols());
  for (size_t row = 0; row < rows.rows(); ++row) {
    rows.read(row, vector.data());
    check_finite(path, row, vector);
  }
}

}  // namespace

void add_vectors(Attributes& table, const std::string& path, const std::string& id) {
  auto file = map_vectors(path, {.default_id = id});
  if (file.ids.empty())
    fail(ErrorKind::input, "{}: its vectors have no ids: write them into {}.ids.txt, one a line, or write a .parquet",
         path, path);
  const auto name =
      file.vector_column.empty() ? std::filesystem::path(path).stem().string() : std::move(file.vector_column);
  if (table.find(name) || table.find_vectors(name))
    fail(ErrorKind::input, "{}: its vectors would be a column '{}', which the table has; rename one of them", path,
         name);
  check_finite_rows(path, file.values);
  columns::Interner ids;
  for (size_t row = 0; row < file.ids.size(); ++row)
    if (ids.add(file.ids[row]) != row)
      fail(ErrorKind::input, "{}: the id '{}' has a second vector in row {} (from 0); leave one of them out", path,
           printable(file.ids[row]), row);
  if (table.rows() == 0) table.ids = ids;

  auto column = std::make_shared<columns::VectorColumn>(name, file.values.cols());
  const auto source = column->add({file.values, std::move(file.owner)});
  for (uint32_t row = 0; row < table.rows(); ++row) {
    const auto at = ids.find(table.ids[row]);
    at == columns::Interner::kNone ? column->push_null() : column->push(source, at);
  }
  const size_t met = column->rows() - column->missing();
  if (met == 0)
    fail(ErrorKind::input, "{}: none of its {} ids, such as '{}', is one of the table's, such as '{}'", path,
         ids.size(), printable(ids[0]), printable(table.ids[0]));
  if (met < ids.size())
    log_warning("{}: {} of its {} ids are not in the table, and their vectors are not used", path, ids.size() - met,
                ids.size());
  if (column->missing() > 0)
    log_info("{}: {} of {} rows of the table have no vector", path, column->missing(), column->rows());
  table.vectors.push_back(std::move(column));
}

TableVectors::TableVectors(const std::vector<std::string>& wanted, const columns::RawBatch& first, size_t id)
    : length_(first.columns.size()), rows_(first.columns.size()) {
  for (size_t c = 0; c < first.columns.size(); ++c) {
    if (c == id) continue;
    const auto& column = first.columns[c];
    if (std::ranges::find(wanted, column.name) != wanted.end()) {
      length_[c] = usual_length(column, first.rows);
      rows_[c].emplace(column.name);
      rows_[c]->set_width(length_[c]);
    } else if (column.type == columns::ColumnType::texts) {
      columns::VectorCells cells;
      for (size_t row = 0; row < std::min(kEnough, first.rows); ++row) cells.look(column, row);
      length_[c] = cells.length();
    }
  }
}

void TableVectors::say_left_out(const columns::RawBatch& batch, columns::Notices& notices) const {
  for (size_t c = 0; c < length_.size(); ++c)
    if (length_[c] > 0 && !rows_[c])
      notices.add(batch.columns[c].name,
                  fmt::format("cells are vectors of {} numbers, and were left out of the table: a feature of kind = "
                              "\"vector\" reads them, 'pagoda index --vectors' searches them",
                              length_[c]),
                  batch.rows);
}

void TableVectors::push(const columns::RawBatch& batch, size_t row, columns::Notices& notices,
                        const std::function<std::string()>& place) {
  for (size_t c = 0; c < rows_.size(); ++c)
    if (rows_[c] && !rows_[c]->push(batch.columns[c], row))
      notices.add(batch.columns[c].name,
                  fmt::format("cells are not vectors of {} finite numbers, and count as missing", rows_[c]->width()), 1,
                  place);
}

std::vector<std::shared_ptr<const columns::VectorColumn>> TableVectors::finish(const std::string& file) {
  std::vector<std::shared_ptr<const columns::VectorColumn>> columns;
  for (auto& rows : rows_) {
    if (!rows) continue;
    columns.push_back(rows->finish());
    if (columns.back()->missing() == columns.back()->rows())
      fail(ErrorKind::input, "{}: column '{}' is declared a vector but holds none: expected lists of numbers", file,
           columns.back()->name());
  }
  return columns;
}

}  // namespace pagoda::data
