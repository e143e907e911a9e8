// Reads one JSON object, or one dictionary of Python, per line. A missing key is null; blank lines are skipped.
#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "core/error.h"
#include "core/log.h"
#include "files/text_lines.h"
#include "text/text_file.h"
#include "text/json_row.h"
#include "text/python_literal.h"

namespace pagoda::text {

namespace {

class JsonRows {
 public:
  explicit JsonRows(const FileOptions& options) : lines_(options.path, options.form.encoding) {}

  bool next(JsonRow& row) {
    if (!next_line()) return false;
    if (is_python_literal(line_)) {
      ++python_lines_;
      python_to_json(line_, json_);
      line_ = json_;
    }
    if (row.parse(line_)) return true;
    const auto text = columns::trim(line_);
    std::string remedy;
    if (text.starts_with('['))
      remedy = fmt::format("; `jq -c '.[]' {0} > {0}l` turns a list of objects into lines of objects", lines_.path());
    else if (text == "{" || (text.starts_with('{') && !text.ends_with('}')))
      remedy = fmt::format("; `jq -c . {0} > {0}l` puts objects over several lines on one line each", lines_.path());
    fail(ErrorKind::input, "{}: {}{}", place(), row.error(), remedy);
  }
  bool next_line() {
    do {
      if (!lines_.next(line_)) return false;
    } while (columns::trim(line_).empty());
    return true;
  }
  std::string place() const { return lines_.place(); }
  uint64_t python_lines() const { return python_lines_; }

 private:
  files::TextLines lines_;
  std::string_view line_;
  std::string json_;  // what line_ views, if the line was Python's
  uint64_t python_lines_ = 0;
};

class JsonlFile : public FileReader {
 public:
  explicit JsonlFile(const FileOptions& options)
      : path_(options.path), batch_rows_(options.batch_rows), rows_(options), columns_(options.columns),
        notices_(options.notices) {
    lines_for_names_ = options.lines_for_names;
    warn_of_new_names_ = options.all_found;
    if (options.may_lack) return;
    std::vector<std::string> present;
    JsonRows ahead(options);
    JsonRow object;
    uint64_t lines = 0;
    const auto all_present = [&] {
      return !columns_.empty() && std::all_of(columns_.begin(), columns_.end(), [&](const std::string& name) {
        return std::find(present.begin(), present.end(), name) != present.end();
      });
    };
    for (; lines < lines_for_names_ && !all_present() && ahead.next(object); ++lines)
      for (size_t i = 0; i < object.size(); ++i)
        if (const auto& key = object[i].key; std::find(present.begin(), present.end(), key) == present.end())
          present.push_back(key);
    if (lines == 0) fail(ErrorKind::input, "{}: the file is empty", path_);
    warn_of_new_names_ = columns_.empty() && lines == lines_for_names_;
    if (columns_.empty()) columns_ = present;
    select_columns(path_, present, columns_);
  }

  const std::vector<std::string>& columns() const override { return columns_; }

  size_t next(std::vector<columns::Column>& columns) override {
    if (!cells_) cells_.emplace(columns_);
    const uint64_t not_numbers = row_.not_numbers(), dropped = row_.dropped_nulls(), python = rows_.python_lines();
    size_t n = 0;
    for (; n < batch_rows_ && rows_.next(row_); ++n) {
      cells_->append(row_, n, columns);
      if (warn_of_new_names_) look_for_new_names();
    }
    notices_->add("", "value(s) are NaN or Infinity and were read as empty", row_.not_numbers() - not_numbers,
                  [&] { return path_; });
    notices_->add("", "line(s) are dictionaries of Python and not JSON, and were read as such",
                  rows_.python_lines() - python, [&] { return path_; });
    notices_->add("", "null(s) in lists were dropped", row_.dropped_nulls() - dropped, [&] { return path_; });
    return n;
  }

 private:
  void look_for_new_names() {
    for (size_t i = 0; i < row_.size(); ++i)
      if (const auto& key = row_[i].key; std::find(columns_.begin(), columns_.end(), key) == columns_.end()) {
        log_warning("{}: key '{}' first occurs after {} lines and is not read", rows_.place(), key, lines_for_names_);
        warn_of_new_names_ = false;
        return;
      }
  }

  std::string path_;
  size_t batch_rows_;
  JsonRows rows_;
  std::vector<std::string> columns_;
  columns::Notices* notices_;
  JsonRow row_;
  std::optional<RowColumns> cells_;
  uint64_t lines_for_names_ = 0;
  bool warn_of_new_names_ = false;
};

}  // namespace

std::unique_ptr<FileReader> open_jsonl_file(const FileOptions& options) { return std::make_unique<JsonlFile>(options); }

std::string place_in_jsonl_file(const FileOptions& options, uint64_t record) {
  JsonRows rows(options);
  for (uint64_t r = 0; r <= record && rows.next_line(); ++r) {}
  return rows.place();
}

}  // namespace pagoda::text
