// Words to table rows: the frequent ones have a row each, the rest share hash buckets.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "core/bytes.h"
#include "data/interner.h"

namespace pagoda {

// Rows [0, words) belong to the words, [words, words + buckets) to everything else by hash. Immutable after build.
class Vocabulary {
 public:
  Vocabulary() = default;
  // Words of `candidates` with counts[i] >= min_count, in their order. Error{input}: more rows than 32 bits can number.
  static Vocabulary build(const Interner& candidates, std::span<const uint64_t> counts, uint64_t min_count,
                          uint32_t buckets);
  uint32_t row(std::string_view word) const;
  uint32_t rows() const { return words_.size() + buckets_; }
  uint32_t words() const { return words_.size(); }
  uint32_t buckets() const { return buckets_; }
  void save(ByteWriter& out) const;
  static Vocabulary load(ByteReader& in);

 private:
  Interner words_;
  uint32_t buckets_ = 1;
};

uint64_t hash_text(std::string_view text, uint64_t seed);

}  // namespace pagoda
