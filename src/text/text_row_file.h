// A file reader over lines of text that give rows of fixed columns. Private to this room.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.h"
#include "text/file_reader.h"

namespace pagoda::text {

// Rows has: Rows(const FileOptions&); static names(), the columns; next(cells), which fills one cell a column (an empty
// one is null) and is false at the end; place(), of the row that next() gave; empty(), whether no line was found.
template <class Rows>
class TextRowFile : public FileReader {
 public:
  explicit TextRowFile(const FileOptions& options)
      : path_(options.path), batch_rows_(options.batch_rows), rows_(options), columns_(options.columns) {
    if (columns_.empty()) columns_ = Rows::names();
    chosen_ = select_columns(path_, Rows::names(), columns_);
    cells_.resize(Rows::names().size());
  }

  const std::vector<std::string>& columns() const override { return columns_; }

  size_t next(std::vector<columns::Column>& columns) override {
    for (auto& column : columns) column.type = columns::ColumnType::text;
    size_t n = 0;
    for (; n < batch_rows_ && rows_.next(cells_); ++n)
      for (size_t c = 0; c < chosen_.size(); ++c) columns[c].push_text(cells_[chosen_[c]]);
    if (rows_.empty()) fail(ErrorKind::input, "{}: the file is empty", path_);
    return n;
  }

 private:
  std::string path_;
  size_t batch_rows_;
  Rows rows_;
  std::vector<std::string> columns_;
  std::vector<size_t> chosen_;
  std::vector<std::string_view> cells_;
};

// Where a record, numbered from 0, stands; reads the file again up to there.
template <class Rows>
std::string place_in_rows(const FileOptions& options, uint64_t record) {
  columns::Notices said;  // when the file was read
  FileOptions again = options;
  again.notices = &said;
  Rows rows(again);
  std::vector<std::string_view> cells(Rows::names().size());
  for (uint64_t r = 0; r <= record && rows.next(cells); ++r) {}
  return rows.place();
}

}  // namespace pagoda::text
