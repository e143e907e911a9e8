#include "features/vocabulary.h"

#include <xxhash.h>

#include "core/error.h"
#include "features/saved.h"

namespace pagoda {

uint64_t hash_text(std::string_view text, uint64_t seed) {
  return XXH3_64bits_withSeed(text.data(), text.size(), seed);
}

Vocabulary Vocabulary::build(const Interner& candidates, std::span<const uint64_t> counts, uint64_t min_count,
                             uint32_t buckets) {
  check(buckets > 0, "unknown words need a bucket");
  check(counts.size() == candidates.size(), "each candidate has a count");
  Vocabulary v;
  v.buckets_ = buckets;
  for (uint32_t i = 0; i < candidates.size(); ++i)
    if (counts[i] >= min_count) v.words_.add(candidates[i]);
  if (uint64_t{v.words()} + buckets >= Interner::kNone)
    fail(ErrorKind::input, "{} values and {} hash buckets are more than {} rows; raise min_count or lower hash_buckets",
         v.words(), buckets, Interner::kNone - 1);
  return v;
}

uint32_t Vocabulary::row(std::string_view word) const {
  const auto found = words_.find(word);
  if (found != Interner::kNone) return found;
  return words_.size() + static_cast<uint32_t>(hash_text(word, 0x9d5f) % buckets_);
}

void Vocabulary::save(ByteWriter& out) const {
  out.value(buckets_);
  save_strings(out, words_);
}

Vocabulary Vocabulary::load(ByteReader& in) {
  Vocabulary v;
  v.buckets_ = in.value<uint32_t>();
  v.words_ = load_strings(in);
  if (v.buckets_ == 0 || uint64_t{v.words()} + v.buckets_ >= Interner::kNone)
    in.damaged("a vocabulary without buckets");
  return v;
}

}  // namespace pagoda
