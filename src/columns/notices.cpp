#include "columns/notices.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/log.h"

namespace pagoda::columns {

void Notices::add(std::string_view column, std::string_view what, uint64_t count,
                  const std::function<std::string()>& place) {
  if (count == 0) return;
  auto line = std::ranges::find_if(lines_, [&](const Line& l) { return l.column == column && l.what == what; });
  if (line == lines_.end()) {
    lines_.push_back({std::string(column), std::string(what), place ? place() : "", 0});
    line = lines_.end() - 1;
  }
  line->count += count;
}

void Notices::add(const Notices& more) {
  for (const auto& line : more.lines_) add(line.column, line.what, line.count, [&] { return line.place; });
}

uint64_t Notices::count(std::string_view column, std::string_view what) const {
  const auto line = std::ranges::find_if(lines_, [&](const Line& l) { return l.column == column && l.what == what; });
  return line == lines_.end() ? 0 : line->count;
}

std::vector<std::string> Notices::texts() const {
  std::vector<std::string> texts;
  for (const auto& line : lines_)
    texts.push_back(fmt::format("{}{} {}{}", line.column.empty() ? "" : fmt::format("column '{}': ", line.column),
                                line.count, line.what,
                                line.place.empty() ? "" : fmt::format(" (first at {})", line.place)));
  return texts;
}

void Notices::say() const {
  for (const auto& text : texts()) log_warning("{}", text);
}

}  // namespace pagoda::columns
