// Files with one value per line: users, items, ids beside vectors.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "columns/notices.h"

namespace pagoda::files {

struct Line {
  std::string text;  // without its line end, otherwise unchanged
  uint64_t number;   // line number in the file, from 1
};

struct LineFile {
  std::string name;  // "stdin" for "-"
  std::vector<Line> lines;
  std::string place(const Line& line) const;  // "users.txt:12"
};

// The lines of a file, plain, .gz or .zst, or of stdin for "-". Blank lines are left out unless `blank_too`; line ends
// may be LF or CRLF; a byte order mark is dropped. Error{input} that names the line: a NUL, invalid UTF-8, a carriage
// return inside a line, UTF-16.
LineFile read_lines(const std::string& path, bool blank_too = false);

// Whether the caller knows an id.
using KnownId = std::function<bool(std::string_view)>;
// The id on a line: the line itself if that is a known id; the JSON string of a line in double quotes ("a\tb");
// otherwise the line without surrounding blanks, which `notices` counts.
std::string id_of_line(const LineFile& file, const Line& line, const KnownId& known, columns::Notices& notices);

// Why a nonempty id cannot be a line of its own, or a cell of a TSV line: "has a tab in it"; "" if it can.
std::string_view why_not_a_line(std::string_view id);
std::string_view why_not_a_tsv_cell(std::string_view text);

}  // namespace pagoda::files
