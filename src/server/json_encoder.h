// Writes pieces of JSON. Numbers are the shortest that read back to the same bits; invalid UTF-8 is replaced.
#pragma once

#include <charconv>
#include <cmath>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>

#include "retrieval/retrieval.h"

namespace pagoda::server {

void append_json_text(std::string& out, std::string_view text);  // with its quotes
std::string mended_utf8(std::string_view text);

// A number that is not finite becomes null.
template <class T>
void append_number(std::string& out, T value) {
  if constexpr (std::is_floating_point_v<T>)
    if (!std::isfinite(value)) {
      out += "null";
      return;
    }
  char text[32];
  out.append(text, std::to_chars(text, text + sizeof text, value).ptr);
}

// Writes a list: append(i) for each i < n, in brackets.
template <class Append>
void append_array(std::string& out, size_t n, Append append) {
  out += '[';
  for (size_t i = 0; i < n; ++i) {
    if (i > 0) out += ", ";
    append(i);
  }
  out += ']';
}

// Writes `, "attributes": [{...}, ...]` of the items, from those columns of the item table; nothing without columns.
void append_attributes(std::string& out, const retrieval::Retrieval& retrieval, std::span<const uint32_t> items,
                       std::span<const size_t> columns);

}  // namespace pagoda::server
