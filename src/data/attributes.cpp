#include "data/attributes.h"

#include "core/error.h"
#include "data/blanks.h"
#include "data/file_reader.h"
#include "data/ids.h"
#include "data/list_text.h"
#include "data/missing_words.h"
#include "data/null_values.h"

namespace pagoda {

const Column* Attributes::find(std::string_view name) const {
  for (const auto& column : columns)
    if (column.name == name) return &column;
  return nullptr;
}

std::vector<std::string> Attributes::names() const {
  std::vector<std::string> names;
  for (const auto& column : columns) names.push_back(column.name);
  return names;
}

namespace {

// Columns of text whose cells are all lists, as [1, 2], become columns of lists: to features, filters and answers alike.
void take_lists(Attributes& table, const NullValues& null_values, Notices& notices) {
  for (auto& column : table.columns) {
    uint64_t lists = 0;
    auto read = read_lists(column, lists);
    if (lists == 0) continue;
    notices.add(column.name,
                read ? "cells are written as lists and were read as such"
                     : "cells are written as lists, but others are not: all are kept as text",
                lists);
    if (read) column = std::move(*read), null_values.apply(column);
  }
}

}  // namespace

Attributes load_attributes(const AttributeOptions& options) {
  const auto reader =
      open_reader({.paths = options.paths, .format = options.format, .required = {options.id}, .form = options.form});
  const auto& names = reader->columns();
  const size_t id = select_columns(reader->files()[0], names, {options.id})[0];

  Attributes table;
  for (size_t c = 0; c < names.size(); ++c) {
    if (c == id) continue;
    table.columns.emplace_back();
    table.columns.back().name = names[c];
  }
  Notices notices;
  BadRows bad_rows(options.bad_rows);
  RawBatch batch;
  std::string scratch;
  while (reader->next(batch)) {
    refuse_lists(reader->files()[batch.file], batch.columns[id]);
    for (const auto& column : batch.columns)
      for (size_t row = 0; row < batch.rows && column.type == ColumnType::text; ++row)
        if (!column.is_null(row) && !is_utf8(column.text_of(row)))
          notices.add(column.name, "cells are not UTF-8; convert the file, as with 'iconv -f LATIN1 -t UTF-8'", 1,
                      [&] { return reader->place(batch.file, batch.first_record + row); });
    if (table.rows() == 0)
      for (size_t c = 0; c < names.size(); ++c)
        if (c != id) table.columns[c - (c > id)] = batch.columns[c].without_rows();
    count_rounded_ids(batch.columns[id], notices,
                      [&](size_t row) { return reader->place(batch.file, batch.first_record + row); });
    for (size_t row = 0; row < batch.rows; ++row) {
      const auto text = batch.columns[id].as_text(row, scratch);
      const char* expected = text.empty()                              ? "an id"
                             : !is_utf8(text)                          ? "UTF-8 text"
                             : table.ids.find(text) != Interner::kNone ? "an id that no row before has"
                                                                       : nullptr;
      if (expected) {
        bad_rows.report([&] { return reader->place(batch.file, batch.first_record + row); }, options.id, text,
                        expected);
        continue;
      }
      table.ids.add(text);
      for (size_t c = 0; c < names.size(); ++c)
        if (c != id) table.columns[c - (c > id)].push_cell(batch.columns[c], row);
    }
  }
  take_lists(table, NullValues(options.form.null_values), notices);
  bad_rows.summarise();
  reader->notices().say();
  say_blanks(reader->files()[0], options.id, table.ids);
  notices.say();
  if (table.rows() == 0) fail(ErrorKind::input, "{}: no row that can be used", reader->files()[0]);
  return table;
}

}  // namespace pagoda
