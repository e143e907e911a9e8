// Searches in markup, for the tests of charts and pages.
#pragma once

#include <cstddef>
#include <string_view>

namespace pagoda::report {

inline size_t count_of(std::string_view text, std::string_view part) {
  size_t count = 0;
  for (size_t at = text.find(part); at != text.npos; at = text.find(part, at + part.size())) ++count;
  return count;
}
inline bool has(std::string_view text, std::string_view part) { return text.find(part) != text.npos; }

}  // namespace pagoda::report
