// Reads lines of `user item item ...`, separated by blanks or tabs: the format of the LightGCN splits. A user alone
// gives no row.
#include <algorithm>

#include "core/error.h"
#include "files/text_lines.h"
#include "formats/file_reader.h"

namespace pagoda::formats {

namespace {

class AdjacencyRows {
 public:
  explicit AdjacencyRows(const std::string& path) : lines_(path) {}

  bool next(std::string_view& user, std::string_view& item) {
    while (!take_word(item)) {
      if (!lines_.next(rest_)) return false;
      ++lines_read_;
      while (rest_.ends_with('\r')) rest_.remove_suffix(1);
      if (rest_.find('\r') != rest_.npos)
        fail(ErrorKind::input, "{}: has a carriage return inside it: write one user per line, as with: tr '\\r' '\\n'",
             place());
      take_word(user_);
    }
    user = user_;
    return true;
  }
  std::string place() const { return lines_.place(); }
  bool empty() const { return lines_read_ == 0; }

 private:
  bool take_word(std::string_view& word) {
    constexpr std::string_view kBlank = " \t\r";
    rest_.remove_prefix(std::min(rest_.find_first_not_of(kBlank), rest_.size()));
    word = rest_.substr(0, rest_.find_first_of(kBlank));
    rest_.remove_prefix(word.size());
    return !word.empty();
  }

  files::TextLines lines_;
  std::string_view rest_, user_;  // of the line
  uint64_t lines_read_ = 0;
};

class AdjacencyFile : public FileReader {
 public:
  explicit AdjacencyFile(const FileOptions& options)
      : path_(options.path), batch_rows_(options.batch_rows), rows_(options.path), columns_(options.columns) {
    const std::vector<std::string> present = {"user_id", "item_id"};
    if (columns_.empty()) columns_ = present;
    chosen_ = select_columns(path_, present, columns_);
  }

  const std::vector<std::string>& columns() const override { return columns_; }

  size_t next(std::vector<columns::Column>& columns) override {
    for (auto& column : columns) column.type = columns::ColumnType::text;
    size_t n = 0;
    for (std::string_view pair[2]; n < batch_rows_ && rows_.next(pair[0], pair[1]); ++n)
      for (size_t c = 0; c < chosen_.size(); ++c) columns[c].push_text(pair[chosen_[c]]);
    if (rows_.empty()) fail(ErrorKind::input, "{}: the file is empty", path_);
    return n;
  }

 private:
  std::string path_;
  size_t batch_rows_;
  AdjacencyRows rows_;
  std::vector<std::string> columns_;
  std::vector<size_t> chosen_;
};

}  // namespace

std::unique_ptr<FileReader> open_adjacency_file(const FileOptions& options) {
  return std::make_unique<AdjacencyFile>(options);
}

std::string place_in_adjacency_file(const std::string& path, uint64_t record) {
  AdjacencyRows rows(path);
  std::string_view user, item;
  for (uint64_t r = 0; r <= record && rows.next(user, item); ++r) {}
  return rows.place();
}

}  // namespace pagoda::formats
