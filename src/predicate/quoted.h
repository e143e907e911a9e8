// Fields and texts as the language of tests writes them.
#pragma once

#include <string>
#include <string_view>

namespace pagoda::predicate {

// Between two of `quote`, with a backslash before each quote and backslash in it: "text" or `field`.
inline std::string quoted(std::string_view text, char quote) {
  std::string out(1, quote);
  for (const char c : text) {
    if (c == quote || c == '\\') out += '\\';
    out += c;
  }
  return out + quote;
}

}  // namespace pagoda::predicate
