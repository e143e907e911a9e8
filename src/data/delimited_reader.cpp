// CSV and TSV by RFC 4180: values with separators, quotes or line ends stand in double quotes, a quote in a value is
// doubled. Beyond it: line ends may be LF or CRLF, blank lines are skipped.
#include <algorithm>
#include <cstring>

#include "core/error.h"
#include "data/file_reader.h"
#include "data/text_lines.h"

namespace pagoda {

namespace {

// Cuts lines into fields. The fields hold until the next call.
class DelimitedRows {
 public:
  DelimitedRows(const std::string& path, char separator) : lines_(path), separator_(separator) {}

  bool next(std::vector<std::string_view>& fields) {
    std::string_view line;
    do {
      if (!lines_.next(line)) return false;
    } while (line.empty() || line == "\r");
    if (!split_in_place(line, fields)) split_quoted(line, fields);
    return true;
  }
  std::string place() const { return lines_.place(); }

 private:
  // Views into the line. False when a value is not there as it is meant: with a doubled quote, or not closed in the line.
  bool split_in_place(std::string_view line, std::vector<std::string_view>& fields) const {
    fields.clear();
    const char* begin = line.data();
    const char* const end = begin + line.size() - (line.back() == '\r');
    const auto find = [&](char c) {
      return static_cast<const char*>(std::memchr(begin, c, static_cast<size_t>(end - begin)));
    };
    for (;;) {
      const char* cut = nullptr;
      if (begin < end && *begin == '"') {
        ++begin;
        const char* const quote = find('"');
        if (!quote || (quote + 1 < end && quote[1] != separator_)) return false;
        fields.emplace_back(begin, static_cast<size_t>(quote - begin));
        cut = quote + 1 < end ? quote + 1 : nullptr;
      } else {
        cut = find(separator_);
        fields.emplace_back(begin, static_cast<size_t>((cut ? cut : end) - begin));
      }
      if (!cut) return true;
      begin = cut + 1;
    }
  }

  void split_quoted(std::string_view line, std::vector<std::string_view>& fields) {
    fields.clear();
    unquoted_.clear();
    ends_.clear();
    size_t i = 0;
    for (;;) {
      if (i < line.size() && line[i] == '"') {
        i = copy_quoted(line, i + 1);
      } else {
        size_t end = std::min(line.find(separator_, i), line.size());
        const size_t after = end;
        if (end == line.size() && end > i && line[end - 1] == '\r') --end;
        unquoted_.append(line.substr(i, end - i));
        i = after;
      }
      ends_.push_back(unquoted_.size());
      if (i == line.size()) break;
      ++i;  // the separator
    }
    size_t begin = 0;
    for (const size_t end : ends_) {
      fields.emplace_back(unquoted_.data() + begin, end - begin);
      begin = end;
    }
  }

  // Copies a value from behind its opening quote; the place of the separator after it, or of the line's end.
  size_t copy_quoted(std::string_view& line, size_t i) {
    for (;;) {
      const size_t quote = line.find('"', i);
      if (quote == line.npos) {
        unquoted_.append(line.substr(i));
        i = line.size();
        if (!lines_.extend(line)) fail(ErrorKind::input, "{}: a quote is opened here and never closed", place());
        continue;
      }
      unquoted_.append(line.substr(i, quote - i));
      i = quote + 1;
      if (i == line.size() || line[i] == separator_) return i;
      if (line[i] == '\r' && i + 1 == line.size()) return i + 1;
      if (line[i] != '"')
        fail(ErrorKind::input,
             "{}: text follows a closing quote; a quote within a quoted value is written twice (\"\")", place());
      unquoted_ += '"';
      ++i;
    }
  }

  TextLines lines_;
  char separator_;
  std::string unquoted_;      // the values of a row that has quotes, one after another
  std::vector<size_t> ends_;  // of each value there
};

class DelimitedFile : public FileReader {
 public:
  DelimitedFile(const FileOptions& options, char separator)
      : path_(options.path), batch_rows_(options.batch_rows), rows_(options.path, separator) {
    if (!rows_.next(fields_))
      fail(ErrorKind::input, "{}: the file is empty; its first line should name the columns", path_);
    std::vector<std::string> header;
    for (const auto field : fields_) header.emplace_back(trim(field));
    width_ = header.size();
    if (width_ == 1 && !options.columns.empty() && header[0] != options.columns[0]) {
      const char other = separator == ',' ? '\t' : ',';
      for (const char c : {other, ';'})
        if (header[0].find(c) != std::string::npos)
          fail(ErrorKind::input, "{}: the header '{}' has no '{}' but has '{}': {}", path_, header[0],
               separator == '\t' ? "\\t" : ",", c == '\t' ? "\\t" : std::string(1, c),
               c == ';'    ? "write the file with commas"
               : c == '\t' ? "set format = \"tsv\""
                           : "set format = \"csv\"");
    }
    columns_ = options.columns.empty() ? header : options.columns;
    chosen_ = select_columns(path_, header, columns_);
  }

  const std::vector<std::string>& columns() const override { return columns_; }

  size_t next(std::vector<Column>& columns) override {
    for (auto& column : columns) column.type = ColumnType::text;
    size_t n = 0;
    for (; n < batch_rows_ && rows_.next(fields_); ++n) {
      if (fields_.size() != width_)
        fail(ErrorKind::input, "{}: {} value(s), but the header names {} column(s): is a separator or a quote amiss?",
             rows_.place(), fields_.size(), width_);
      for (size_t c = 0; c < chosen_.size(); ++c) columns[c].push_text(fields_[chosen_[c]]);
    }
    return n;
  }

 private:
  std::string path_;
  size_t batch_rows_, width_ = 0;
  DelimitedRows rows_;
  std::vector<std::string> columns_;
  std::vector<size_t> chosen_;
  std::vector<std::string_view> fields_;
};

}  // namespace

std::unique_ptr<FileReader> open_delimited_file(const FileOptions& options, char separator) {
  return std::make_unique<DelimitedFile>(options, separator);
}

std::string place_in_delimited_file(const std::string& path, char separator, uint64_t record) {
  DelimitedRows rows(path, separator);
  std::vector<std::string_view> fields;
  for (uint64_t r = 0; r < record + 2 && rows.next(fields); ++r) {  // the header is one
  }
  return rows.place();
}

}  // namespace pagoda
