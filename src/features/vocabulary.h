// Maps words to table rows: frequent words have a row each, the others share hash buckets.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "columns/interner.h"
#include "core/bytes.h"

namespace pagoda::features {

// as_written: for ids; each spelling is a word of its own. canonical: for values; two spellings of a value are one word
// (value_key() in columns/decimal.h). either: for values in bundles written before canonical texts; a word is found by
// its own spelling or by its canonical one.
enum class Spelling { as_written, canonical, either };

// Where the rows of a table went when its vocabulary was extended. Words stay; the buckets still follow the last word.
struct RowMove {
  uint32_t words_before = 0, words_now = 0, buckets = 0;
  std::vector<uint32_t> renewed;  // rows below words_before that another word has now, rising
  uint32_t of(uint32_t row) const { return row < words_before ? row : row + (words_now - words_before); }
};

// Rows [0, words) belong to the words, rows [words, words + buckets) to everything else by hash. Immutable after build.
class Vocabulary {
 public:
  Vocabulary() = default;
  // The words are the `candidates` with counts[i] >= min_count, in their order; with Spelling::canonical, candidates
  // are canonical texts. Error{input}: more rows than 32 bits can number.
  static Vocabulary build(const columns::Interner& candidates, std::span<const uint64_t> counts, uint64_t min_count,
                          uint32_t buckets, Spelling spelling = Spelling::as_written);
  // The same words in the same rows, and the candidates without a row of their own that have counts[i] >= min_count, in
  // their order: in rows that were let go, the lowest first, then behind the last word.
  Vocabulary extended(const columns::Interner& candidates, std::span<const uint64_t> counts, uint64_t min_count) const;
  // Without the words of these rows, only with Spelling::as_written: they go to buckets, and their rows stay empty
  // until extended() gives them to other words.
  Vocabulary without(std::span<const uint32_t> rows) const;
  RowMove move_from(const Vocabulary& before) const;  // `this` was extended from `before`
  uint32_t row(std::string_view word) const;
  uint32_t bucket_row(std::string_view word) const;  // the hash bucket that it has or would have
  uint32_t rows() const { return words_.size() + buckets_; }
  uint32_t words() const { return words_.size(); }
  uint32_t buckets() const { return buckets_; }
  void save(ByteWriter& out) const;
  static Vocabulary load(ByteReader& in, Spelling spelling = Spelling::as_written);

 private:
  void remember_value(uint32_t row);  // with Spelling::either
  void check_size() const;
  columns::Interner words_;
  Spelling spelling_ = Spelling::as_written;
  std::unordered_map<std::string, uint32_t> row_of_value_;  // Spelling::either: by the canonical texts of the words
  uint32_t buckets_ = 1;
};

uint64_t hash_text(std::string_view text, uint64_t seed);

}  // namespace pagoda::features
