// The top k of a stream of scored rows.
//
// The order is everywhere: by descending score, ties by ascending row. A candidate is one integer, its rank key, so
// that selection and sorting compare integers.
#pragma once

#include <bit>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

namespace pagoda::math {

// A larger key is a better candidate. -0 and +0 are the same score. `score` must not be NaN.
inline uint64_t rank_key(float score, uint32_t row) {
  const auto bits = std::bit_cast<uint32_t>(score + 0.0f);
  const uint32_t rising = bits & 0x80000000u ? ~bits : bits | 0x80000000u;  // unsigned order = order of the floats
  return uint64_t{rising} << 32 | static_cast<uint32_t>(~row);
}
inline uint32_t row_of_key(uint64_t key) { return ~static_cast<uint32_t>(key); }
inline float score_of_key(uint64_t key) {
  const auto rising = static_cast<uint32_t>(key >> 32);
  return std::bit_cast<float>(rising & 0x80000000u ? rising & 0x7fffffffu : ~rising);
}

// Selects the top k. It holds about 2 k candidates; when it is full, it keeps the best and raises the threshold for
// later rows. NaN and -infinity never enter. Not thread-safe.
class TopK {
 public:
  TopK() = default;
  // Empties it and keeps its memory. Only scores >= min_score, which is not NaN, will enter.
  void reset(size_t k, float min_score = -std::numeric_limits<float>::infinity());

  // Offers the scores of rows first_row, first_row + 1, ... or of rows[0], rows[1], ... Rows must ascend within a call
  // and from call to call, because a later row of an equal score is dropped.
  void offer(std::span<const float> scores, uint32_t first_row);
  void offer(std::span<const float> scores, const uint32_t* rows);
  // A score enters only if it is above this.
  float threshold() const { return threshold_; }
  // Offers one candidate above the threshold, with ascending rows from call to call; or, in any order, candidates that
  // another TopK with the same min_score took.
  void offer_key(uint64_t key);

  // The best min(k, offered) rank keys, best first, valid until the next call; it then takes nothing until reset().
  std::span<const uint64_t> take();

  static size_t capacity(size_t k) { return k + headroom(k) + kBurst; }

 private:
  static constexpr size_t kBurst = 256;  // scores offered between two checks of the room left
  static size_t headroom(size_t k) { return k > 768 ? k : 768; }
  template <class RowOf>
  void offer_each(std::span<const float> scores, RowOf row_of);
  void keep_best(size_t min_kept, size_t max_kept);

  size_t k_ = 0, size_ = 0;
  float threshold_ = std::numeric_limits<float>::infinity();
  std::vector<uint64_t> keys_;
};

// Sorts keys, best first.
void sort_keys(std::span<uint64_t> keys);

}  // namespace pagoda::math
