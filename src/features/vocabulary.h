// Words to table rows: the frequent ones have a row each, the rest share hash buckets.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>

#include "columns/interner.h"
#include "core/bytes.h"

namespace pagoda::features {

// as_written: ids, each spelling a word of its own; canonical: values, of which two spellings are one (value_key() in
// columns/decimal.h); either: values as bundles before canonical texts hold them, found by their own spelling or by another.
enum class Spelling { as_written, canonical, either };

// Rows [0, words) belong to the words, [words, words + buckets) to everything else by hash. Immutable after build.
class Vocabulary {
 public:
  Vocabulary() = default;
  // Words of `candidates` with counts[i] >= min_count, in their order; canonical ones are given as canonical texts.
  // Error{input}: more rows than 32 bits can number.
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
  std::unordered_map<std::string, uint32_t> row_of_value_;  // either: of the canonical texts of words
  uint32_t buckets_ = 1;
};

uint64_t hash_text(std::string_view text, uint64_t seed);

}  // namespace pagoda::features
