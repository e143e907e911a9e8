// The best k of a stream of scored rows.
//
// Order everywhere: score descending, ties by row rising. It is kept as one number per candidate, so that selecting and
// sorting compare integers.
#pragma once

#include <bit>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

namespace pagoda::index {

// A larger key is a better candidate. -0 and +0 are one score. Not for NaN.
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

// Holds room for about 2 k candidates; whenever it is full it keeps the best and raises the score that a later row must
// pass. NaN and -infinity never get in. Not thread-safe.
class TopK {
 public:
  TopK() = default;
  // Only scores >= min_score (not NaN). Forgets what it held; keeps its memory.
  void reset(size_t k, float min_score = -std::numeric_limits<float>::infinity());

  // The scores of rows first_row, first_row + 1, ... or of rows[0], rows[1], ... Rows rise within a call and from call
  // to call: that is what lets a later row of an equal score be dropped unseen.
  void offer(std::span<const float> scores, uint32_t first_row);
  void offer(std::span<const float> scores, const uint32_t* rows);
  // What a score must be above to get in.
  float threshold() const { return threshold_; }
  // A candidate above the bar, rows rising from call to call, or one that passed another TopK of the same min_score; in any order.
  void offer_key(uint64_t key);

  // The best min(k, offered), best first; empty afterwards until reset().
  std::span<const uint64_t> take();

  static size_t capacity(size_t k) { return k + headroom(k) + kBurst; }

 private:
  static constexpr size_t kBurst = 256;  // scores looked at between two looks at the room that is left
  static size_t headroom(size_t k) { return k > 768 ? k : 768; }
  template <class RowOf>
  void offer_each(std::span<const float> scores, RowOf row_of);
  void keep_best(size_t least, size_t most);

  size_t k_ = 0, size_ = 0;
  float threshold_ = std::numeric_limits<float>::infinity();  // a score must be above it
  std::vector<uint64_t> keys_;
};

// Sorts keys, best first.
void sort_keys(std::span<uint64_t> keys);

}  // namespace pagoda::index
