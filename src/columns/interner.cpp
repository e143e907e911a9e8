#include "columns/interner.h"

#define XXH_INLINE_ALL  // a call costs as much as the hash of a short text
#include <xxhash.h>

#include <bit>
#include <cstring>
#include <utility>

#include "core/error.h"

namespace pagoda::columns {

namespace {

constexpr uint64_t kFree = UINT64_MAX;

template <class Word>
Word word_at(const char* bytes) {
  Word word;
  std::memcpy(&word, bytes, sizeof word);
  return word;
}

// The first and the last word of n bytes, which overlap.
template <class Word>
bool equal_ends(const char* a, const char* b, size_t n) {
  const size_t last = n - sizeof(Word);
  return word_at<Word>(a) == word_at<Word>(b) && word_at<Word>(a + last) == word_at<Word>(b + last);
}

// Ids are short: calling memcmp would cost more than the comparison.
bool equal(const char* a, const char* b, size_t n) {
  if (n > 16) return std::memcmp(a, b, n) == 0;
  if (n >= 8) return equal_ends<uint64_t>(a, b, n);
  if (n >= 4) return equal_ends<uint32_t>(a, b, n);
  if (n >= 2) return equal_ends<uint16_t>(a, b, n);
  return n == 0 || *a == *b;
}

bool equal(std::span<const char> a, std::string_view b) {
  return a.size() == b.size() && equal(a.data(), b.begin(), b.size());
}

}  // namespace

uint32_t Interner::hash_of(std::string_view text) {
  return static_cast<uint32_t>(XXH3_64bits(text.data(), text.size()));
}

// The slot of `text`, or the free one where it would go. Linear probing; the table is never full.
size_t Interner::slot_of(std::string_view text, uint32_t hash) const {
  const size_t mask = slots_.size() - 1;
  for (size_t s = hash & mask;; s = (s + 1) & mask) {
    const uint64_t slot = slots_[s];
    if (slot == kFree || (slot >> 32 == hash && equal(strings_[static_cast<uint32_t>(slot)], text))) return s;
  }
}

uint32_t Interner::find(std::string_view text) const { return find(text, hash_of(text)); }

uint32_t Interner::find(std::string_view text, uint32_t hash) const {
  if (slots_.empty()) return kNone;
  const uint64_t slot = slots_[slot_of(text, hash)];
  return slot == kFree ? kNone : static_cast<uint32_t>(slot);
}

uint32_t Interner::add(std::string_view text) {
  if (slots_.empty()) grow();
  const uint32_t hash = hash_of(text);
  size_t s = slot_of(text, hash);
  if (slots_[s] != kFree) return static_cast<uint32_t>(slots_[s]);
  if (strings_.size() >= kNone - 1) fail(ErrorKind::input, "more than {} different values in one column", kNone - 1);
  if ((strings_.size() + 1) * 3 > slots_.size() * 2) {
    grow();
    s = slot_of(text, hash);
  }
  const uint32_t number = size();
  slots_[s] = uint64_t{hash} << 32 | number;
  strings_.push(std::span(text.data(), text.size()));
  return number;
}

void Interner::grow() {
  const std::vector<uint64_t> old = std::exchange(slots_, {});
  slots_.assign(old.empty() ? 16 : old.size() * 2, kFree);
  const size_t mask = slots_.size() - 1;
  for (const uint64_t slot : old) {
    if (slot == kFree) continue;
    size_t s = (slot >> 32) & mask;
    while (slots_[s] != kFree) s = (s + 1) & mask;
    slots_[s] = slot;
  }
}

Interner Interner::from_strings(math::Ragged<char> strings) {
  Interner interner;
  interner.strings_ = std::move(strings);
  const size_t n = interner.strings_.size();
  interner.slots_.assign(std::bit_ceil(n * 3 / 2 + 16), kFree);
  for (uint32_t number = 0; number < n; ++number) {
    const auto text = interner[number];
    const uint32_t hash = hash_of(text);
    const size_t s = interner.slot_of(text, hash);
    check(interner.slots_[s] == kFree, "the strings of an interner differ");
    interner.slots_[s] = uint64_t{hash} << 32 | number;
  }
  return interner;
}

}  // namespace pagoda::columns
