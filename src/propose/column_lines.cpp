#include "propose/column_lines.h"

#include <fmt/format.h>

#include <algorithm>

#include "columns/ids.h"

namespace pagoda::propose {

std::string comment_line(std::string_view text) {
  std::string line(columns::is_utf8(text) ? text : "(not UTF-8)");
  for (char& c : line)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = ' ';
  while (line.ends_with(' ')) line.pop_back();
  return line;
}

std::vector<std::string> lines_of(const data::TableGuess& guess) {
  size_t width = 0;
  for (const auto& c : guess.columns) width = std::max(width, c.name.size());
  std::vector<std::string> lines;
  for (const auto& c : guess.columns) {
    std::string example = comment_line(c.example);
    // Of a long text, enough to know it again.
    if (example.size() > 30) {
      example.resize(27);
      while (!example.empty() && !columns::is_utf8(example)) example.pop_back();
      example += "...";
    }
    lines.push_back(comment_line(fmt::format("  {:<{}}  {:<11}  {:<7}  {:>8} values, such as '{}'; {}", c.name, width,
                                             c.role.empty() ? "-" : c.role, columns::name_of(c.type), c.distinct,
                                             example, c.reason)));
  }
  return lines;
}

}  // namespace pagoda::propose
