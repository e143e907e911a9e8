// How to read a table where the content of its file does not say so, or says so wrongly.
#pragma once

#include <string>
#include <vector>

namespace pagoda::columns {

enum class Header { automatic, yes, no };
// How a cell of a csv or tsv file may hold a separator, a line end or a quote.
enum class Quoting {
  doubled,    // in double quotes, a quote in it doubled (RFC 4180)
  backslash,  // in double quotes, a backslash before a quote or another backslash in it, as MySQL writes
  none,       // not at all: a quote is a character like others
};

struct TableForm {
  // The separator of the cells of csv and tsv files, one character or more. "auto": the format's, or the one that the
  // lines show.
  std::string separator = "auto";
  Quoting quoting = Quoting::doubled;
  // Lines of csv and tsv files that begin with it are skipped; "auto": those before the first row that begin with '#'.
  std::string comment = "auto";
  // "auto": UTF-8, or UTF-16 if a byte order mark says so; or a name that iconv knows.
  std::string encoding = "auto";
  Header header = Header::automatic;   // whether the first line of csv and tsv files names the columns
  std::vector<std::string> columns{};  // the names of all columns, which replace those of a csv or tsv file
  // Cells and list elements that mean missing, in every column of any format.
  std::vector<std::string> null_values{};
  std::string keys{};  // the prefix of these keys in a config, for messages: "data."; "": there is no config

  bool operator==(const TableForm&) const = default;
};

}  // namespace pagoda::columns
