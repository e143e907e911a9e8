#include "core/printable.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <iterator>

namespace pagoda {

namespace {

// The length in bytes of the UTF-8 character at `text[at]`; 0 if the bytes are not one.
size_t utf8_length(std::string_view text, size_t at) {
  const auto byte = [&](size_t i) { return at + i < text.size() ? static_cast<uint8_t>(text[at + i]) : uint8_t{0}; };
  const auto follows = [&](size_t i) { return (byte(i) & 0xc0) == 0x80; };
  const uint8_t first = byte(0);
  if (at >= text.size()) return 0;
  if (first < 0x80) return 1;
  if (first >= 0xc2 && first < 0xe0) return follows(1) ? 2 : 0;
  if (first >= 0xe0 && first < 0xf0) {
    const bool whole = follows(1) && follows(2);
    const bool overlong = first == 0xe0 && byte(1) < 0xa0, surrogate = first == 0xed && byte(1) >= 0xa0;
    return whole && !overlong && !surrogate ? 3 : 0;
  }
  if (first >= 0xf0 && first < 0xf5) {
    const bool whole = follows(1) && follows(2) && follows(3);
    const bool overlong = first == 0xf0 && byte(1) < 0x90, beyond = first == 0xf4 && byte(1) >= 0x90;
    return whole && !overlong && !beyond ? 4 : 0;
  }
  return 0;
}

std::string escaped(std::string_view text, size_t most, bool line_ends) {
  std::string out;
  for (size_t at = 0; at < text.size();) {
    if (at >= most) return out + "...";
    const auto byte = static_cast<uint8_t>(text[at]);
    const size_t length = utf8_length(text, at);
    // C2 80 to C2 9F are the control characters beyond ASCII, which terminals obey too.
    const bool control = length == 1 ? byte < 0x20 || byte == 0x7f
                                     : length == 2 && byte == 0xc2 && static_cast<uint8_t>(text[at + 1]) < 0xa0;
    if ((length == 0 || control) && !(line_ends && byte == '\n')) {
      for (size_t i = 0; i < std::max<size_t>(length, 1); ++i) {
        const char c = text[at + i];
        if (c == '\t' || c == '\n' || c == '\r')
          out += c == '\t' ? "\\t" : c == '\n' ? "\\n" : "\\r";
        else
          fmt::format_to(std::back_inserter(out), "\\x{:02x}", static_cast<uint8_t>(c));
      }
    } else {
      out += text.substr(at, length);
    }
    at += std::max<size_t>(length, 1);
  }
  return out;
}

}  // namespace

std::string printable(std::string_view text, size_t most) { return escaped(text, most, false); }
std::string printable_lines(std::string_view text) { return escaped(text, text.size(), true); }

}  // namespace pagoda
