#include "formats/writer.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include <charconv>
#include <cmath>
#include <iterator>
#include <utility>

#include "core/error.h"
#include "files/byte_sink.h"
#include "formats/arrow_writer.h"

namespace pagoda::formats {

namespace {

// Writes rows as lines of text; a subclass formats them.
class TextWriter : public Writer {
 public:
  TextWriter(const std::string& path, const std::vector<ColumnSpec>& columns)
      : columns_(columns), sink_(files::open_sink(path)) {}

  void write(const columns::RawBatch& batch) override {
    constexpr size_t kEnough = 1 << 18;
    check(!closed_, "nothing is written after close");
    check_batch(columns_, batch);
    for (size_t row = 0; row < batch.rows; ++row) {
      append_row(batch, row, lines_);
      if (lines_.size() >= kEnough) flush();
    }
    flush();
  }

  void close() override {
    if (std::exchange(closed_, true)) return;
    flush();
    sink_->close();
  }

 protected:
  virtual void append_row(const columns::RawBatch& batch, size_t row, std::string& line) = 0;
  std::vector<ColumnSpec> columns_;
  std::string lines_;  // not written yet

 private:
  void flush() {
    sink_->write(lines_);
    lines_.clear();
  }
  std::unique_ptr<files::ByteSink> sink_;
  bool closed_ = false;
};

class DelimitedWriter : public TextWriter {
 public:
  DelimitedWriter(const std::string& path, const std::vector<ColumnSpec>& columns, char separator, bool header)
      : TextWriter(path, columns), separator_(separator), special_{'"', '\n', '\r', separator} {
    if (!header) return;
    for (size_t c = 0; c < columns.size(); ++c) {
      if (c > 0) lines_ += separator_;
      append_value(columns[c].name, lines_);
    }
    lines_ += '\n';
  }

 protected:
  void append_row(const columns::RawBatch& batch, size_t row, std::string& line) override {
    for (size_t c = 0; c < batch.columns.size(); ++c) {
      if (c > 0) line += separator_;
      append_value(batch.columns[c].as_text(row, scratch_), line);
    }
    line += '\n';
  }

 private:
  void append_value(std::string_view value, std::string& line) const {
    // A blank line would be skipped by readers.
    const bool alone = value.empty() && columns_.size() == 1;
    if (!alone && value.find_first_of(std::string_view(special_, sizeof special_)) == value.npos) {
      line += value;
      return;
    }
    line += '"';
    for (const char c : value) {
      if (c == '"') line += '"';
      line += c;
    }
    line += '"';
  }

  char separator_;
  char special_[4];
  std::string scratch_;
};

class JsonlWriter : public TextWriter {
 public:
  JsonlWriter(const std::string& path, const std::vector<ColumnSpec>& columns) : TextWriter(path, columns) {
    for (const auto& column : columns) append_string(column.name, keys_.emplace_back());
  }

 protected:
  void append_row(const columns::RawBatch& batch, size_t row, std::string& line) override {
    line += '{';
    for (size_t c = 0; c < batch.columns.size(); ++c) {
      if (c > 0) line += ", ";
      line += keys_[c];
      line += ": ";
      append_cell(batch.columns[c], row, line);
    }
    line += "}\n";
  }

 private:
  void append_cell(const columns::Column& column, size_t row, std::string& line) {
    const bool number = column.type == columns::ColumnType::integer || column.type == columns::ColumnType::real;
    if (column.is_null(row) || (column.type == columns::ColumnType::real && !std::isfinite(column.reals[row]))) {
      line += "null";
    } else if (number || column.type == columns::ColumnType::boolean) {
      line += column.as_text(row, scratch_);
    } else if (column.type == columns::ColumnType::texts) {
      line += '[';
      for (uint64_t e = column.element_offsets[row]; e < column.element_offsets[row + 1]; ++e) {
        if (e > column.element_offsets[row]) line += ", ";
        append_string({column.elements[e].data(), column.elements[e].size()}, line);
      }
      line += ']';
    } else {
      append_string(column.as_text(row, scratch_), line);
    }
  }

  static void append_string(std::string_view text, std::string& line) {
    if (!columns::is_utf8(text)) {  // JSON is UTF-8: invalid bytes become U+FFFD
      line += nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
      return;
    }
    line += '"';
    for (const char c : text) {
      switch (c) {
        case '"': line += "\\\""; break;
        case '\\': line += "\\\\"; break;
        case '\n': line += "\\n"; break;
        case '\r': line += "\\r"; break;
        case '\t': line += "\\t"; break;
        default:
          if (static_cast<unsigned char>(c) < 0x20)
            fmt::format_to(std::back_inserter(line), "\\u{:04x}", static_cast<unsigned>(c));
          else
            line += c;
      }
    }
    line += '"';
  }

  std::vector<std::string> keys_;
  std::string scratch_;
};

}  // namespace

void check_batch(const std::vector<ColumnSpec>& columns, const columns::RawBatch& batch) {
  check(columns.size() == batch.columns.size(), "a batch has the writer's columns");
  for (size_t c = 0; c < columns.size(); ++c)
    check(columns[c].type == batch.columns[c].type && batch.columns[c].rows() == batch.rows,
          "a batch's columns have the writer's types and all its rows");
}

std::unique_ptr<Writer> open_writer(const std::string& path, const std::vector<ColumnSpec>& columns,
                                    files::Format format, bool header) {
  const bool standard_out = path == "-", compressed = path.ends_with(".gz") || path.ends_with(".zst");
  if (format == files::Format::automatic) {
    if (standard_out) fail(ErrorKind::usage, "stdout has no name that shows the format; give one of csv, tsv, jsonl");
    format = files::format_from_path(path);
  }
  switch (format) {
    case files::Format::csv: return std::make_unique<DelimitedWriter>(path, columns, ',', header);
    case files::Format::tsv: return std::make_unique<DelimitedWriter>(path, columns, '\t', header);
    case files::Format::jsonl: return std::make_unique<JsonlWriter>(path, columns);
    case files::Format::parquet:
    case files::Format::arrow:
      if (standard_out) fail(ErrorKind::usage, "a Parquet or Arrow file is not written to stdout; name a file");
      if (compressed)
        fail(ErrorKind::usage, "{}: Parquet and Arrow files are compressed inside; leave .gz and .zst out", path);
      return format == files::Format::parquet ? open_parquet_writer(path, columns) : open_arrow_writer(path, columns);
    default:
      fail(ErrorKind::usage, "{}: adjacency files are read, not written; choose csv, tsv, jsonl or parquet", path);
  }
}

}  // namespace pagoda::formats
