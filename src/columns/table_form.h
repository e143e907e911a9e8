// How to read a table where the content of its file does not say so, or says so wrongly.
#pragma once

#include <string>
#include <vector>

namespace pagoda::columns {

enum class Header { automatic, yes, no };

struct TableForm {
  // The separator of the cells of csv and tsv files, one character or more. "auto": the format's, or the one that the
  // lines show.
  std::string separator = "auto";
  Header header = Header::automatic;   // whether the first line of csv and tsv files names the columns
  std::vector<std::string> columns{};  // the names of all columns, which replace those of a csv or tsv file
  // Cells and list elements that mean missing, in every column of any format.
  std::vector<std::string> null_values{};
  std::string keys{};  // the prefix of these keys in a config, for messages: "data."; "": there is no config

  bool operator==(const TableForm&) const = default;
};

}  // namespace pagoda::columns
