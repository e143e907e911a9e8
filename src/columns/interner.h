// Maps strings to dense numbers, in order of first occurrence.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "math/ragged.h"

namespace pagoda::columns {

// Open addressing over xxh3; the strings lie in one buffer. Threads may share reading (find, operator[]) while no
// thread adds.
class Interner {
 public:
  static constexpr uint32_t kNone = UINT32_MAX;
  uint32_t add(std::string_view text);         // its number, a new one if it is new; Error{input} past 2^32 - 2
  uint32_t find(std::string_view text) const;  // kNone if it was never added
  // For many lookups: hash all texts first, and prefetch the memory of each a few finds ahead.
  static uint32_t hash_of(std::string_view text);
  void prefetch(uint32_t hash) const {
    if (!slots_.empty()) __builtin_prefetch(&slots_[hash & (slots_.size() - 1)]);
  }
  uint32_t find(std::string_view text, uint32_t hash) const;
  std::string_view operator[](uint32_t number) const {
    const auto s = strings_[number];
    return {s.data(), s.size()};
  }
  uint32_t size() const { return static_cast<uint32_t>(strings_.size()); }
  const math::Ragged<char>& strings() const { return strings_; }
  static Interner from_strings(math::Ragged<char> strings);  // the inverse of strings(); the strings must differ

 private:
  size_t slot_of(std::string_view text, uint32_t hash) const;
  void grow();
  math::Ragged<char> strings_;
  std::vector<uint64_t> slots_;  // hash << 32 | number: a wrong slot is recognised without touching its string
};

}  // namespace pagoda::columns
