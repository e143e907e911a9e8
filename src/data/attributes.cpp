#include "data/attributes.h"

#include <algorithm>
#include <optional>

#include "columns/whitespace.h"
#include "columns/ids.h"
#include "columns/list_text.h"
#include "columns/null_values.h"
#include "core/error.h"
#include "data/missing_words.h"
#include "data/table_vectors.h"
#include "text/file_reader.h"

namespace pagoda::data {

const columns::Column* Attributes::find(std::string_view name) const {
  for (const auto& column : columns)
    if (column.name == name) return &column;
  return nullptr;
}

std::vector<std::string> Attributes::names() const {
  std::vector<std::string> names;
  for (const auto& column : columns) names.push_back(column.name);
  return names;
}

std::shared_ptr<const columns::VectorColumn> Attributes::find_vectors(std::string_view name) const {
  for (const auto& column : vectors)
    if (column->name() == name) return column;
  return nullptr;
}

namespace {

// As with_newer(), of one column; each may be nullptr. A row that brings no vector keeps the one it had: a file of the
// vectors of new items stands beside a table of all.
std::shared_ptr<const columns::VectorColumn> newer_vectors(const columns::VectorColumn* old,
                                                           const columns::VectorColumn* fresh,
                                                           const columns::Interner& ids, const columns::Interner& now) {
  if (old && fresh && old->width() != fresh->width())
    fail(ErrorKind::input, "the vectors of '{}' have {} components, those that the model knows have {}", fresh->name(),
         fresh->width(), old->width());
  auto column = std::make_shared<columns::VectorColumn>((fresh ? fresh : old)->name(), (fresh ? fresh : old)->width());
  for (uint32_t row = 0; row < ids.size(); ++row) {
    const uint32_t newer = now.find(ids[row]);
    if (fresh && newer != columns::Interner::kNone && fresh->has(newer))
      column->push_from(*fresh, newer);
    else if (old && row < old->rows())
      column->push_from(*old, row);
    else
      column->push_null();
  }
  return column;
}

}  // namespace

// A table that brings nothing but vectors says nothing of the columns.
Attributes with_newer(const Attributes& before, const Attributes& now) {
  Attributes all;
  all.ids = before.ids;
  for (uint32_t row = 0; row < now.rows(); ++row) all.ids.add(now.ids[row]);
  std::vector<std::string> names = before.names();
  for (const auto& name : now.names())
    if (!before.find(name)) names.push_back(name);
  for (const auto& name : names) {
    const auto *old = before.find(name), *fresh = now.find(name);
    auto& column = all.columns.emplace_back((fresh ? fresh : old)->without_rows());
    for (uint32_t row = 0; row < all.rows(); ++row) {
      const uint32_t newer = now.ids.find(all.ids[row]);
      const bool renewed = newer != columns::Interner::kNone && !now.columns.empty();
      if (renewed && fresh)
        column.push_cell(*fresh, newer);
      else if (!renewed && old && row < before.rows())
        column.push_cell(*old, row);
      else
        column.push_null();
    }
  }
  for (const auto& fresh : now.vectors)
    all.vectors.push_back(newer_vectors(before.find_vectors(fresh->name()).get(), fresh.get(), all.ids, now.ids));
  for (const auto& old : before.vectors)
    if (!now.find_vectors(old->name())) all.vectors.push_back(newer_vectors(old.get(), nullptr, all.ids, now.ids));
  return all;
}

namespace {

// Turns text columns whose cells are all lists, such as [1, 2], into columns of lists, for features, filters and
// answers.
void take_lists(Attributes& table, const columns::NullValues& null_values, columns::Notices& notices) {
  for (auto& column : table.columns) {
    uint64_t lists = 0;
    auto read = columns::read_lists(column, lists);
    if (lists == 0) continue;
    notices.add(column.name,
                read ? "cells are written as lists and were read as such"
                     : "cells are written as lists and others are not: all are kept as text",
                lists);
    if (read) {
      column = std::move(*read);
      null_values.apply(column);
    }
  }
}

void count_not_utf8(const columns::Column& column, columns::Notices& notices,
                    const std::function<std::string(size_t)>& place) {
  if (column.type != columns::ColumnType::text && column.type != columns::ColumnType::texts) return;
  uint64_t count = 0;
  size_t first = 0;
  for (size_t row = 0; row < column.rows(); ++row) {
    bool readable = true;
    column.for_each_element(row, '\0', [&](std::string_view text) { readable = readable && columns::is_utf8(text); });
    if (!readable && count++ == 0) first = row;
  }
  notices.add(column.name, "cells are not UTF-8 text; answers show invalid bytes as U+FFFD: write the table in UTF-8",
              count, [&] { return place(first); });
}

}  // namespace

Attributes load_attributes(const AttributeOptions& options) {
  const auto reader = formats::open_reader(
      {.paths = options.paths, .format = options.format, .required = {options.id}, .form = options.form});
  const auto& names = reader->columns();
  const size_t id = text::select_columns(reader->files()[0], names, {options.id})[0];

  Attributes table;
  for (size_t c = 0; c < names.size(); ++c) {
    if (c == id) continue;
    table.columns.emplace_back();
    table.columns.back().name = names[c];
  }
  columns::Notices notices;
  std::optional<TableVectors> vectors;
  BadRows bad_rows(options.bad_rows);
  columns::RawBatch batch;
  std::string scratch;
  while (reader->next(batch)) {
    if (!vectors) vectors.emplace(options.vectors, batch, id);
    vectors->say_left_out(batch, notices);
    refuse_lists(reader->files()[batch.file], batch.columns[id]);
    if (table.rows() == 0)
      for (size_t c = 0; c < names.size(); ++c)
        if (c != id) table.columns[c - (c > id)] = batch.columns[c].without_rows();
    const auto place = [&](size_t row) { return reader->place(batch.file, batch.first_record + row); };
    columns::count_rounded_ids(batch.columns[id], notices, place);
    for (size_t c = 0; c < names.size(); ++c)
      if (c != id && !vectors->is_one(c)) count_not_utf8(batch.columns[c], notices, place);
    for (size_t row = 0; row < batch.rows; ++row) {
      const auto text = batch.columns[id].as_text(row, scratch);
      const char* expected = text.empty()                                       ? "an id"
                             : !columns::is_utf8(text)                          ? "UTF-8 text"
                             : table.ids.find(text) != columns::Interner::kNone ? "an id that no earlier row has"
                                                                                : nullptr;
      if (expected) {
        bad_rows.report([&] { return place(row); }, options.id, text, expected);
        continue;
      }
      table.ids.add(text);
      for (size_t c = 0; c < names.size(); ++c)
        if (c != id && !vectors->is_one(c)) table.columns[c - (c > id)].push_cell(batch.columns[c], row);
      vectors->push(batch, row, notices, [&] { return place(row); });
    }
  }
  for (size_t c = names.size(); c-- > 0;)
    if (vectors && vectors->is_one(c))
      table.columns.erase(table.columns.begin() + static_cast<ptrdiff_t>(c - (c > id)));
  take_lists(table, columns::NullValues(options.form.null_values), notices);
  for (auto& column : table.columns) column.times = columns::time_form_of(column, options.times);
  bad_rows.summarise();
  reader->notices().say();
  columns::warn_of_whitespace(reader->files()[0], options.id, table.ids);
  notices.say();
  if (table.rows() == 0) fail(ErrorKind::input, "{}: no row can be used", reader->files()[0]);
  table.vectors = vectors->finish(reader->files()[0]);
  return table;
}

}  // namespace pagoda::data
