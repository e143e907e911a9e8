#include "features/vocabulary.h"

#include <xxhash.h>

#include "columns/decimal.h"
#include "core/error.h"
#include "features/saved.h"

namespace pagoda::features {

uint64_t hash_text(std::string_view text, uint64_t seed) {
  return XXH3_64bits_withSeed(text.data(), text.size(), seed);
}

Vocabulary Vocabulary::build(const columns::Interner& candidates, std::span<const uint64_t> counts, uint64_t min_count,
                             uint32_t buckets, Spelling spelling) {
  check(buckets > 0, "unknown words need a bucket");
  check(counts.size() == candidates.size(), "each candidate has a count");
  Vocabulary v;
  v.buckets_ = buckets;
  v.spelling_ = spelling;
  for (uint32_t i = 0; i < candidates.size(); ++i)
    if (counts[i] >= min_count) v.words_.add(candidates[i]);
  if (uint64_t{v.words()} + buckets >= columns::Interner::kNone)
    fail(ErrorKind::input, "{} values and {} hash buckets are more than {} rows; raise min_count or lower hash_buckets",
         v.words(), buckets, columns::Interner::kNone - 1);
  return v;
}

uint32_t Vocabulary::row(std::string_view word) const {
  std::string scratch;
  if (spelling_ == Spelling::canonical) word = columns::canonical_text(word, scratch);
  const auto found = words_.find(word);
  if (found != columns::Interner::kNone) return found;
  if (spelling_ == Spelling::either)
    if (const auto value = row_of_value_.find(std::string(columns::canonical_text(word, scratch)));
        value != row_of_value_.end())
      return value->second;
  return words_.size() + static_cast<uint32_t>(hash_text(word, 0x9d5f) % buckets_);
}

void Vocabulary::save(ByteWriter& out) const {
  out.value(buckets_);
  save_strings(out, words_);
}

Vocabulary Vocabulary::load(ByteReader& in, Spelling spelling) {
  Vocabulary v;
  v.spelling_ = spelling;
  v.buckets_ = in.value<uint32_t>();
  v.words_ = load_strings(in);
  if (v.buckets_ == 0 || uint64_t{v.words()} + v.buckets_ >= columns::Interner::kNone)
    in.damaged("a vocabulary without buckets");
  std::string scratch;
  if (spelling == Spelling::either)
    for (uint32_t row = 0; row < v.words(); ++row)
      v.row_of_value_.try_emplace(std::string(columns::canonical_text(v.words_[row], scratch)), row);
  return v;
}

}  // namespace pagoda::features
