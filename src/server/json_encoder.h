// Pieces of JSON. Numbers are the shortest that read back to the same bits; a text that is not UTF-8 is mended.
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

// A null for what is not finite.
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

// append(i) for each i < n, between brackets.
template <class Append>
void append_array(std::string& out, size_t n, Append append) {
  out += '[';
  for (size_t i = 0; i < n; ++i) {
    if (i > 0) out += ", ";
    append(i);
  }
  out += ']';
}

// , "attributes": [{...}, ...]: of the items, in the item table's columns of those numbers; nothing when there are none.
void append_attributes(std::string& out, const retrieval::Retrieval& retrieval, std::span<const uint32_t> items,
                       std::span<const size_t> columns);

}  // namespace pagoda::server
