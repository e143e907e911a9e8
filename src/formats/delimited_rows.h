// The rows of a csv or tsv file, cut into cells. Private to this room.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "files/text_lines.h"
#include "formats/file_reader.h"

namespace pagoda::formats {

// By RFC 4180: cells with separators, quotes or line ends stand in double quotes, a quote in a cell is doubled. Beyond it:
// line ends may be LF or CRLF, blank lines are passed over, and so are rows that repeat the header.
class DelimitedRows {
 public:
  // `usual`: the separator of the file's format, where options.form and the lines tell no other. What was found out goes
  // to options.notices. Error{input}: an empty file, a first line of values where names are expected.
  DelimitedRows(const FileOptions& options, std::string_view usual);

  const std::vector<std::string>& names() const { return names_; }  // of the columns
  std::string_view separator() const { return separator_; }
  // The next row of values. They hold until the next call; of how many there are nothing is checked.
  bool next(std::vector<std::string_view>& cells);
  std::string place() const { return lines_.place(); }

 private:
  bool next_row(std::vector<std::string_view>& cells);
  void take_names(const FileOptions& options, bool marked, const std::vector<std::vector<std::string>>& rows);
  void clean_names(const FileOptions& options, bool marked);
  bool repeats_header(const std::vector<std::string_view>& cells) const;
  bool cut_in_place(std::string_view line, std::vector<std::string_view>& cells) const;
  void cut_quoted(std::string_view line, std::vector<std::string_view>& cells);
  size_t copy_quoted(std::string_view& line, size_t i);
  void check_bare(std::string_view cell) const;

  files::TextLines lines_;
  columns::Notices* notices_;
  std::string separator_;
  std::vector<std::string> names_;
  std::vector<std::string> header_;      // as it stands in the file; empty: it has none
  std::vector<std::string_view> first_;  // a first row of values, read already
  bool first_waits_ = false;
  std::string unquoted_;      // the cells of a row that has quotes, one after another
  std::vector<size_t> ends_;  // of each cell there
};

}  // namespace pagoda::formats
