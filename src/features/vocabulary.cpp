#include "features/vocabulary.h"

#include <xxhash.h>

#include <algorithm>

#include "columns/decimal.h"
#include "core/error.h"
#include "features/saved.h"

namespace pagoda::features {

namespace {

// What stands in a row that was let go: no id, as ids are UTF-8. Files keep it as a word, which no reader finds.
constexpr char kNoUtf8 = '\xff';

std::string empty_row(uint32_t row) { return kNoUtf8 + std::to_string(row); }
bool is_empty_row(std::string_view word) { return !word.empty() && word[0] == kNoUtf8; }

// `words` with some of its rows rewritten.
template <class WordOf>
columns::Interner rewritten(const columns::Interner& words, const WordOf& word_of) {
  columns::Interner out;
  for (uint32_t row = 0; row < words.size(); ++row) out.add(word_of(row));
  check(out.size() == words.size(), "the words of a vocabulary differ");
  return out;
}

}  // namespace

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
  v.check_size();
  return v;
}

void Vocabulary::check_size() const {
  if (uint64_t{words()} + buckets_ >= columns::Interner::kNone)
    fail(ErrorKind::input, "{} values and {} hash buckets are more than {} rows; raise min_count or lower hash_buckets",
         words(), buckets_, columns::Interner::kNone - 1);
}

void Vocabulary::remember_value(uint32_t row) {
  std::string scratch;
  if (spelling_ == Spelling::either)
    row_of_value_.try_emplace(std::string(columns::canonical_text(words_[row], scratch)), row);
}

Vocabulary Vocabulary::extended(const columns::Interner& candidates, std::span<const uint64_t> counts,
                                uint64_t min_count) const {
  check(counts.size() == candidates.size(), "each candidate has a count");
  std::vector<uint32_t> empty;
  for (uint32_t row = 0; row < words() && spelling_ == Spelling::as_written; ++row)
    if (is_empty_row(words_[row])) empty.push_back(row);
  std::vector<std::string_view> fresh;
  for (uint32_t i = 0; i < candidates.size(); ++i)
    if (counts[i] >= min_count && row(candidates[i]) >= words()) fresh.push_back(candidates[i]);
  Vocabulary v = *this;
  const size_t reused = std::min(empty.size(), fresh.size());
  if (reused > 0)
    v.words_ = rewritten(words_, [&](uint32_t row) {
      const auto at = std::ranges::lower_bound(empty, row);
      const auto n = static_cast<size_t>(at - empty.begin());
      return n < reused && *at == row ? fresh[n] : words_[row];
    });
  for (const auto word : std::span(fresh).subspan(reused)) v.remember_value(v.words_.add(word));
  v.check_size();
  return v;
}

Vocabulary Vocabulary::without(std::span<const uint32_t> rows) const {
  check(spelling_ == Spelling::as_written, "only ids are let go");
  std::vector<bool> gone(words());
  for (const uint32_t row : rows) gone.at(row) = true;
  Vocabulary v = *this;
  std::string scratch;
  v.words_ = rewritten(words_, [&](uint32_t row) -> std::string_view {
    return gone[row] ? std::string_view(scratch = empty_row(row)) : words_[row];
  });
  return v;
}

RowMove Vocabulary::move_from(const Vocabulary& before) const {
  check(words() >= before.words() && buckets_ == before.buckets_, "a vocabulary that was extended is no smaller");
  RowMove move{.words_before = before.words(), .words_now = words(), .buckets = buckets_, .renewed = {}};
  for (uint32_t row = 0; row < before.words(); ++row)
    if (words_[row] != before.words_[row]) move.renewed.push_back(row);
  return move;
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
  return bucket_row(word);
}

uint32_t Vocabulary::bucket_row(std::string_view word) const {
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
  for (uint32_t row = 0; row < v.words(); ++row) v.remember_value(row);
  return v;
}

}  // namespace pagoda::features
