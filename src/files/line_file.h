// Files with a value a line: users, items, ids beside vectors.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "columns/notices.h"

namespace pagoda::files {

struct Line {
  std::string text;  // as it stands, without its line end
  uint64_t number;   // in the file, from 1
};

struct LineFile {
  std::string name;  // "stdin" for "-"
  std::vector<Line> lines;
  std::string place(const Line& line) const;  // "users.txt:12"
};

// The lines of a file, plain, .gz or .zst, or of stdin for "-"; those of nothing but blanks are left out unless
// they are wanted, line ends may be LF or CRLF, and a byte order mark is dropped. Error{input} naming the line: a NUL, what is not UTF-8, a carriage return
// within, UTF-16.
LineFile read_lines(const std::string& path, bool blank_too = false);

// Whether an id is one that the asker knows.
using KnownId = std::function<bool(std::string_view)>;
// The id that a line says: the line as it stands where that is a known id; what a line in double quotes says as a JSON
// text ("a\tb"); else the line without the blanks around it, which `notices` counts.
std::string id_of_line(const LineFile& file, const Line& line, const KnownId& known, columns::Notices& notices);

// Why an id, if it has any text, can not be a line of its own, or a cell of a line between tabs: "has a tab in it"; "" when it can.
std::string_view no_line(std::string_view id);
std::string_view no_tsv_cell(std::string_view text);

}  // namespace pagoda::files
