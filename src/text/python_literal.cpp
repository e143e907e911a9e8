#include "text/python_literal.h"

#include <fmt/format.h>

#include <cctype>
#include <cstdint>
#include <iterator>

#include "columns/column.h"

namespace pagoda::text {

namespace {

void append_utf8(uint32_t point, std::string& out) {
  const auto tail = [&](int shift) { out += static_cast<char>(0x80 | ((point >> shift) & 0x3f)); };
  if (point < 0x80) {
    out += static_cast<char>(point);
  } else if (point < 0x800) {
    out += static_cast<char>(0xc0 | (point >> 6));
    tail(0);
  } else if (point < 0x10000) {
    out += static_cast<char>(0xe0 | (point >> 12));
    tail(6);
    tail(0);
  } else {
    out += static_cast<char>(0xf0 | (point >> 18));
    tail(12);
    tail(6);
    tail(0);
  }
}

// Reads `digits` hexadecimal digits at i; -1 if they are not there.
int64_t hex(std::string_view line, size_t i, size_t digits) {
  int64_t value = 0;
  if (i + digits > line.size()) return -1;
  for (size_t k = i; k < i + digits; ++k) {
    const auto c = static_cast<unsigned char>(line[k]);
    if (!std::isxdigit(c)) return -1;
    value = value * 16 + (std::isdigit(c) ? c - '0' : std::tolower(c) - 'a' + 10);
  }
  return value;
}

void append_json_character(char c, std::string& json) {
  if (c == '"' || c == '\\') {
    json += '\\';
    json += c;
  } else if (static_cast<unsigned char>(c) < 0x20) {
    fmt::format_to(std::back_inserter(json), "\\u{:04x}", static_cast<unsigned>(c));
  } else {
    json += c;
  }
}

// Copies an escape of Python at i, which is behind its backslash; returns what follows it.
size_t copy_escape(std::string_view line, size_t i, std::string& json) {
  const char c = line[i++];
  const size_t digits = c == 'x' ? 2 : c == 'u' ? 4 : c == 'U' ? 8 : 0;
  if (const auto point = digits > 0 ? hex(line, i, digits) : -1; point >= 0) {
    if (digits == 4) {  // half of a pair of surrogates means the same in JSON
      json.append("\\u").append(line.substr(i, digits));
    } else if (point < 0x20 || point == '"' || point == '\\') {
      append_json_character(static_cast<char>(point), json);
    } else {
      append_utf8(static_cast<uint32_t>(point), json);
    }
    return i + digits;
  }
  constexpr std::string_view kLetters = "abfnrtv", kMeant = "\a\b\f\n\r\t\v";
  if (const auto at = kLetters.find(c); at != kLetters.npos) {
    append_json_character(kMeant[at], json);
  } else {
    if (c != '\'' && c != '"' && c != '\\') append_json_character('\\', json);  // as Python keeps it
    append_json_character(c, json);
  }
  return i;
}

// Copies a text in quotes that opens at i; returns what follows it.
size_t copy_text(std::string_view line, size_t i, std::string& json) {
  const char quote = line[i++];
  json += '"';
  while (i < line.size() && line[i] != quote) {
    if (line[i] == '\\' && i + 1 < line.size())
      i = copy_escape(line, i + 1, json);
    else
      append_json_character(line[i++], json);
  }
  if (i < line.size()) json += '"';
  return i + 1;
}

}  // namespace

bool is_python_literal(std::string_view line) {
  line = columns::trim(line);
  if (!line.starts_with('{')) return false;
  line = columns::trim(line.substr(1));
  return line.starts_with('\'') || line.starts_with("u'") || line.starts_with("u\"");
}

void python_to_json(std::string_view line, std::string& json) {
  json.clear();
  for (size_t i = 0; i < line.size();) {
    const char c = line[i];
    if (c == '\'' || c == '"') {
      i = copy_text(line, i, json);
      continue;
    }
    if ((c == 'u' || c == 'b') && i + 1 < line.size() && (line[i + 1] == '\'' || line[i + 1] == '"')) {
      ++i;  // the prefix of a text
      continue;
    }
    if (std::isalpha(static_cast<unsigned char>(c))) {
      size_t end = i;
      while (end < line.size() && std::isalpha(static_cast<unsigned char>(line[end]))) ++end;
      const auto word = line.substr(i, end - i);
      json += word == "True"    ? "true"
              : word == "False" ? "false"
              : word == "None"  ? "null"
              : word == "nan"   ? "NaN"
                                : word;
      i = end;
      continue;
    }
    json += c == '(' ? '[' : c == ')' ? ']' : c;
    ++i;
  }
}

}  // namespace pagoda::text
