// Saves lists, strings and choices to the bytes of a section and loads them. Loading trusts nothing: whatever would
// send a reader out of bounds is an Error{failed} that names the section.
#pragma once

#include <type_traits>

#include "columns/interner.h"
#include "core/bytes.h"
#include "math/ragged.h"

namespace pagoda::features {

bool offsets_rise(const std::vector<uint64_t>& offsets, size_t values);  // whether they rise from 0 to `values`

template <class T>
void save_ragged(ByteWriter& out, const math::Ragged<T>& lists) {
  out.array(lists.offsets);
  out.array(lists.values);
}

template <class T>
math::Ragged<T> load_ragged(ByteReader& in) {
  math::Ragged<T> lists;
  lists.offsets = in.array<uint64_t>();
  lists.values = in.array<T>();
  if (!offsets_rise(lists.offsets, lists.values.size())) in.damaged("its lists do not follow each other");
  return lists;
}

void save_strings(ByteWriter& out, const columns::Interner& strings);
columns::Interner load_strings(ByteReader& in);  // strings that differ

inline bool load_bool(ByteReader& in) {
  const auto v = in.value<uint8_t>();
  if (v > 1) in.damaged("a yes or no is neither");
  return v == 1;
}

// An enumeration saved by value(); `last` is its last enumerator.
template <class E>
E load_choice(ByteReader& in, E last) {
  using Number = std::underlying_type_t<E>;
  const auto v = in.value<Number>();
  if (v < 0 || v > static_cast<Number>(last)) in.damaged("a choice is none of the known ones");
  return static_cast<E>(v);
}

}  // namespace pagoda::features
