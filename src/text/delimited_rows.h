// Splits a csv or tsv file into rows and cells. Private to this room.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "files/text_lines.h"
#include "text/delimited_form.h"
#include "text/file_reader.h"

namespace pagoda::text {

// Follows RFC 4180: cells with separators, quotes or line ends are in double quotes, and a quote in a cell is doubled.
// Beyond it, line ends may be LF or CRLF; blank lines and rows that repeat the header are skipped.
class DelimitedRows {
 public:
  // `usual` is the separator of the file's format, used if neither options.form nor the lines set another. Findings go
  // to options.notices. Error{input}: an empty file, a first line of values where names are expected.
  DelimitedRows(const FileOptions& options, std::string_view usual);

  const std::vector<std::string>& names() const { return names_; }  // column names
  std::string_view separator() const { return separator_; }
  // The next row of values, valid until the next call. Their number is not checked. False at the end.
  bool next(std::vector<std::string_view>& cells);
  std::string place() const { return lines_.place(); }

 private:
  bool next_row(std::vector<std::string_view>& cells);
  void take_names(const FileOptions& options, bool marked, const std::vector<TextRow>& rows);
  void find_trailing_separator(const std::vector<TextRow>& rows, size_t named, bool has_header);
  void clean_names(const FileOptions& options, bool marked);
  bool repeats_header(const std::vector<std::string_view>& cells) const;
  bool cut_in_place(std::string_view line, std::vector<std::string_view>& cells) const;
  void cut_quoted(std::string_view line, std::vector<std::string_view>& cells);
  size_t copy_quoted(std::string_view& line, size_t i);
  void check_bare(std::string_view cell) const;

  files::TextLines lines_;
  columns::Notices* notices_;
  std::string keys_;  // of the form, for messages
  columns::Quoting quoting_;
  std::string comment_;        // "": no line is one
  size_t trailing_width_ = 0;  // each line ends with a separator, which makes so many cells; 0: it does not
  std::string separator_;
  std::vector<std::string> names_;
  std::vector<std::string> header_;      // as written in the file; empty: the file has none
  std::vector<std::string_view> first_;  // a first row of values that was already read
  bool first_waits_ = false;
  std::string unquoted_;      // the cells of a row that has quotes, one after another
  std::vector<size_t> ends_;  // of each cell there
};

}  // namespace pagoda::text
