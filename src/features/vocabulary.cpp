#include "features/vocabulary.h"

#include <xxhash.h>

namespace pagoda {

uint64_t hash_text(std::string_view text, uint64_t seed) { return XXH3_64bits_withSeed(text.data(), text.size(), seed); }

Vocabulary Vocabulary::build(const Interner& candidates, std::span<const uint64_t> counts, uint64_t min_count,
                             uint32_t buckets) {
  check(buckets > 0, "unknown words need a bucket");
  Vocabulary v;
  v.buckets_ = buckets;
  for (uint32_t i = 0; i < candidates.size(); ++i)
    if (counts[i] >= min_count) v.words_.add(candidates[i]);
  return v;
}

uint32_t Vocabulary::row(std::string_view word) const {
  const auto found = words_.find(word);
  if (found != Interner::kNone) return found;
  return words_.size() + static_cast<uint32_t>(hash_text(word, 0x9d5f) % buckets_);
}

void Vocabulary::save(ByteWriter& out) const {
  out.value(buckets_);
  out.array(words_.strings().offsets);
  out.array(words_.strings().values);
}

Vocabulary Vocabulary::load(ByteReader& in) {
  Vocabulary v;
  v.buckets_ = in.value<uint32_t>();
  Ragged<char> strings;
  strings.offsets = in.array<uint64_t>();
  strings.values = in.array<char>();
  v.words_ = Interner::from_strings(std::move(strings));
  return v;
}

}  // namespace pagoda
