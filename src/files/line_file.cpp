#include "files/line_file.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "columns/column.h"
#include "core/error.h"
#include "core/printable.h"
#include "files/text_lines.h"

namespace pagoda::files {

std::string LineFile::place(const Line& line) const { return fmt::format("{}:{}", name, line.number); }

LineFile read_lines(const std::string& path, bool blank_too) {
  LineFile file{path == "-" ? "stdin" : path, {}};
  TextLines lines(path);
  std::string_view text;
  while (lines.next(text)) {
    while (text.ends_with('\r')) text.remove_suffix(1);
    if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);  // of concatenated files
    if (!blank_too && columns::trim(text).empty()) continue;
    const auto refuse = [&](std::string_view what, std::string_view remedy) {
      fail(ErrorKind::input, "{}:{}: {}: {}", file.name, lines.number(), what, remedy);
    };
    if (text.find('\r') != text.npos)
      refuse("has a carriage return inside it", "write one value per line, as with: tr '\\r' '\\n'");
    if (!columns::is_utf8(text))
      refuse(fmt::format("'{}' is not UTF-8", printable(text)), "convert it, as with iconv -t UTF-8");
    file.lines.push_back({std::string(text), lines.number()});
  }
  return file;
}

std::string id_of_line(const LineFile& file, const Line& line, const KnownId& known, columns::Notices& notices) {
  if (known && known(line.text)) return line.text;
  const auto id = columns::trim(line.text);
  if (id.size() > 1 && id.front() == '"' && id.back() == '"')
    if (const auto json = nlohmann::json::parse(id, nullptr, false); json.is_string()) return json.get<std::string>();
  if (id.size() != line.text.size())
    notices.add("", "lines have blanks around their value, which were dropped", 1, [&] { return file.place(line); });
  return std::string(id);
}

std::string_view why_not_a_tsv_cell(std::string_view text) {
  if (text.find('\t') != text.npos) return "has a tab in it";
  if (text.find_first_of("\r\n") != text.npos) return "has a line end in it";
  if (text.find('\0') != text.npos) return "has a NUL byte in it";
  if (text.starts_with('"')) return "begins with a double quote";
  return {};
}

std::string_view why_not_a_line(std::string_view id) {
  if (id.find_first_of("\r\n") != id.npos) return "has a line end in it";
  if (id.find('\0') != id.npos) return "has a NUL byte in it";
  if (id.size() > 1 && id.starts_with('"') && id.ends_with('"')) return "stands in double quotes";
  if (id.starts_with("\xef\xbb\xbf")) return "begins with a byte order mark";
  if (columns::trim(id).size() != id.size()) return "has blanks around it";
  return {};
}

}  // namespace pagoda::files
