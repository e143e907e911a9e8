// What a file's content does not tell of its form, or tells wrongly.
#pragma once

#include <string>
#include <vector>

namespace pagoda::columns {

enum class Header { automatic, yes, no };

struct TableForm {
  // Between the cells of csv and tsv files, one character or more; "auto": that of the format, or what its lines say.
  std::string separator = "auto";
  Header header = Header::automatic;   // whether the first line of csv and tsv files names the columns
  std::vector<std::string> columns{};  // the names of all columns, in place of those of a csv or tsv file
  std::vector<std::string>
      null_values{};   // cells and elements of lists that mean missing, in every column of any format
  std::string keys{};  // what stands before these names in a config, for messages: "data."; "": there is no config

  bool operator==(const TableForm&) const = default;
};

}  // namespace pagoda::columns
