// One JSON object a line. A missing key is a null; blank lines are skipped.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include <algorithm>

#include "core/error.h"
#include "core/log.h"
#include "core/suggest.h"
#include "data/file_reader.h"
#include "data/text_lines.h"

namespace pagoda {

namespace {

using Json = nlohmann::ordered_json;

class JsonRows {
 public:
  explicit JsonRows(const std::string& path) : lines_(path) {}

  bool next(Json& object) {
    if (!next_line()) return false;
    try {
      object = Json::parse(line_.begin(), line_.end());
    } catch (const Json::exception& e) {
      std::string why = e.what();
      if (const auto at = why.find("] "); at != why.npos) why.erase(0, at + 2);
      fail(ErrorKind::input, "{}: not JSON: {}", place(), why);
    }
    if (!object.is_object())
      fail(ErrorKind::input, "{}: expected a JSON object, as in {{\"user_id\": \"u1\", ...}}", place());
    return true;
  }
  bool next_line() {
    do {
      if (!lines_.next(line_)) return false;
    } while (trim(line_).empty());
    return true;
  }
  std::string place() const { return lines_.place(); }

 private:
  TextLines lines_;
  std::string_view line_;
};

std::string text_of(const Json& value) {
  if (value.is_string()) return value.get_ref<const std::string&>();
  if (value.is_number_float()) return fmt::format("{}", value.get<double>());
  return value.dump();
}

ColumnType type_of(const Json& value) {
  using Type = Json::value_t;
  switch (value.type()) {
    case Type::boolean: return ColumnType::boolean;
    case Type::number_integer: return ColumnType::integer;
    case Type::number_unsigned:  // beyond int64 its digits are kept as text
      return value.get<uint64_t>() <= INT64_MAX ? ColumnType::integer : ColumnType::text;
    case Type::number_float: return ColumnType::real;
    case Type::array: return ColumnType::texts;
    default: return ColumnType::text;
  }
}

void push_value(Column& column, const Json& value) {
  switch (column.type) {
    case ColumnType::text: return column.push_text(text_of(value));
    case ColumnType::real: return column.push_real(value.get<double>());
    case ColumnType::boolean: return column.push_integer(value.get<bool>());
    case ColumnType::texts:
      for (const auto& element : value)
        if (!element.is_null()) column.push_element(text_of(element));
      return column.end_list();
    default: return column.push_integer(value.get<int64_t>());
  }
}

class JsonlFile : public FileReader {
 public:
  explicit JsonlFile(const FileOptions& options)
      : path_(options.path), batch_rows_(options.batch_rows), rows_(options.path), columns_(options.columns) {
    lines_for_names_ = options.lines_for_names;
    warn_of_new_names_ = options.all_found;
    if (options.may_lack) return;
    std::vector<std::string> present;
    JsonRows ahead(path_);
    Json object;
    uint64_t lines = 0;
    const auto all_present = [&] {
      return !columns_.empty() && std::all_of(columns_.begin(), columns_.end(), [&](const std::string& name) {
        return std::find(present.begin(), present.end(), name) != present.end();
      });
    };
    for (; lines < lines_for_names_ && !all_present() && ahead.next(object); ++lines)
      for (const auto& [key, value] : object.items())
        if (std::find(present.begin(), present.end(), key) == present.end()) present.push_back(key);
    if (lines == 0) fail(ErrorKind::input, "{}: the file is empty", path_);
    warn_of_new_names_ = columns_.empty() && lines == lines_for_names_;
    if (columns_.empty()) columns_ = present;
    select_columns(path_, present, columns_);
  }

  const std::vector<std::string>& columns() const override { return columns_; }

  size_t next(std::vector<Column>& columns) override {
    Json object;
    size_t n = 0;
    for (; n < batch_rows_ && rows_.next(object); ++n) {
      for (size_t c = 0; c < columns_.size(); ++c) {
        const auto found = object.find(columns_[c]);
        push(columns[c], found == object.end() ? Json() : *found, n);
      }
      if (warn_of_new_names_) look_for_new_names(object);
    }
    return n;
  }

 private:
  // The column's type is that of its first value; another type after it makes it wider, as Column::push_cell does.
  void push(Column& column, const Json& value, size_t row) const {
    if (value.is_null()) return column.push_null();
    const auto type = type_of(value);
    if (type == column.type && row > 0) return push_value(column, value);
    Column cell;
    cell.type = type;
    push_value(cell, value);
    if (row == 0) column.type = type;
    column.push_cell(cell, 0);
  }

  void look_for_new_names(const Json& object) {
    for (const auto& [key, value] : object.items())
      if (std::find(columns_.begin(), columns_.end(), key) == columns_.end()) {
        log_warning("{}: key '{}' is first seen after {} lines and is not read", rows_.place(), key,
                    lines_for_names_);
        warn_of_new_names_ = false;
        return;
      }
  }

  std::string path_;
  size_t batch_rows_;
  JsonRows rows_;
  std::vector<std::string> columns_;
  uint64_t lines_for_names_ = 0;
  bool warn_of_new_names_ = false;
};

}  // namespace

std::unique_ptr<FileReader> open_jsonl_file(const FileOptions& options) { return std::make_unique<JsonlFile>(options); }

std::string place_in_jsonl_file(const std::string& path, uint64_t record) {
  JsonRows rows(path);
  for (uint64_t r = 0; r <= record && rows.next_line(); ++r) {}
  return rows.place();
}

}  // namespace pagoda
