// Maps words to table rows: frequent words have a row each, the others share hash buckets.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>

#include "columns/interner.h"
#include "core/bytes.h"

namespace pagoda::features {

// as_written: for ids; each spelling is a word of its own. canonical: for values; two spellings of a value are one word
// (value_key() in columns/decimal.h). either: for values in bundles written before canonical texts; a word is found by
// its own spelling or by its canonical one.
enum class Spelling { as_written, canonical, either };

// Rows [0, words) belong to the words, rows [words, words + buckets) to everything else by hash. Immutable after build.
class Vocabulary {
 public:
  Vocabulary() = default;
  // The words are the `candidates` with counts[i] >= min_count, in their order; with Spelling::canonical, candidates
  // are canonical texts. Error{input}: more rows than 32 bits can number.
  static Vocabulary build(const columns::Interner& candidates, std::span<const uint64_t> counts, uint64_t min_count,
                          uint32_t buckets, Spelling spelling = Spelling::as_written);
  uint32_t row(std::string_view word) const;
  uint32_t rows() const { return words_.size() + buckets_; }
  uint32_t words() const { return words_.size(); }
  uint32_t buckets() const { return buckets_; }
  void save(ByteWriter& out) const;
  static Vocabulary load(ByteReader& in, Spelling spelling = Spelling::as_written);

 private:
  columns::Interner words_;
  Spelling spelling_ = Spelling::as_written;
  std::unordered_map<std::string, uint32_t> row_of_value_;  // Spelling::either: by the canonical texts of the words
  uint32_t buckets_ = 1;
};

uint64_t hash_text(std::string_view text, uint64_t seed);

}  // namespace pagoda::features
