#include "math/top_k.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <utility>

#include "core/error.h"
#include "math/kernels.h"

namespace pagoda::math {
namespace {

// Moves the keys >= pivot to the front and returns their number. Branchless, because such branches mispredict half the
// time.
size_t partition_from(uint64_t* keys, size_t n, uint64_t pivot) {
  size_t found = 0;
  for (size_t i = 0; i < n; ++i) {
    const uint64_t key = keys[i];
    keys[i] = keys[found];
    keys[found] = key;
    found += key >= pivot;
  }
  return found;
}

// The key at about the quantile `share` of the keys, best first, from a sample.
uint64_t sampled_pivot(const uint64_t* keys, size_t n, double share) {
  std::array<uint64_t, 31> sample;
  for (size_t i = 0; i < sample.size(); ++i) sample[i] = keys[(2 * i + 1) * n / (2 * sample.size())];
  std::sort(sample.begin(), sample.end(), std::greater<>());
  return sample[std::min(sample.size() - 1, static_cast<size_t>(share * sample.size()))];
}

constexpr size_t kRadixFrom = 256;  // below it a comparison sort is as fast

}  // namespace

void sort_keys(std::span<uint64_t> keys) {
  const size_t n = keys.size();
  if (n < kRadixFrom || n > UINT32_MAX) {
    std::sort(keys.begin(), keys.end(), std::greater<>());
    return;
  }
  // Three radix passes of 11 bits over the score half of the key, then a sort of the ties, which are few.
  constexpr size_t kBits = 11, kBins = size_t{1} << kBits;
  std::vector<uint64_t> other(n);
  std::array<std::array<uint32_t, kBins>, 3> start{};
  for (const uint64_t key : keys)
    for (size_t pass = 0; pass < 3; ++pass) ++start[pass][(~key >> (32 + pass * kBits)) % kBins];
  uint64_t *from = keys.data(), *to = other.data();
  for (size_t pass = 0; pass < 3; ++pass) {
    uint32_t sum = 0;
    for (auto& bin : start[pass]) sum += std::exchange(bin, sum);
    for (size_t i = 0; i < n; ++i) to[start[pass][(~from[i] >> (32 + pass * kBits)) % kBins]++] = from[i];
    std::swap(from, to);
  }
  std::copy(from, from + n, keys.data());
  for (size_t begin = 0; begin < n;) {
    size_t end = begin + 1;
    while (end < n && keys[end] >> 32 == keys[begin] >> 32) ++end;
    if (end - begin > 1) std::sort(keys.begin() + begin, keys.begin() + end, std::greater<>());
    begin = end;
  }
}

void TopK::reset(size_t k, float min_score) {
  check(!std::isnan(min_score), "min_score is a number");
  k_ = k;
  size_ = 0;
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  threshold_ = k == 0 ? kInfinity : std::nextafter(min_score, -kInfinity);
}

template <class RowOf>
void TopK::offer_each(std::span<const float> scores, RowOf row_of) {
  std::array<unsigned, kBurst> at;
  for (size_t begin = 0; begin < scores.size(); begin += kBurst) {
    const float* block = scores.data() + begin;
    const size_t found = math::select_above(block, std::min(kBurst, scores.size() - begin), threshold_, at.data());
    if (found == 0) continue;
    if (keys_.size() < size_ + found) keys_.resize(std::min(capacity(k_), std::max(2 * keys_.size(), size_ + kBurst)));
    for (size_t i = 0; i < found; ++i) keys_[size_++] = rank_key(block[at[i]], row_of(begin + at[i]));
    if (size_ + kBurst > capacity(k_)) keep_best(k_, k_ + k_ / 8);
  }
}

void TopK::offer(std::span<const float> scores, uint32_t first_row) {
  offer_each(scores, [&](size_t i) { return first_row + static_cast<uint32_t>(i); });
}

void TopK::offer(std::span<const float> scores, const uint32_t* rows) {
  offer_each(scores, [&](size_t i) { return rows[i]; });
}

void TopK::offer_key(uint64_t key) {
  if (k_ == 0) return;
  if (size_ == capacity(k_)) keep_best(k_, k_ + k_ / 8);
  if (keys_.size() == size_) keys_.resize(std::min(capacity(k_), 2 * size_ + kBurst));
  keys_[size_++] = key;
}

// Keeps the best m keys, for some m with min_kept <= m <= max_kept, and raises the threshold to the worst of them. A
// quickselect that stops as soon as m is within these bounds.
void TopK::keep_best(size_t min_kept, size_t max_kept) {
  const auto begin = keys_.begin();
  size_t fixed = 0, end = size_;  // the best `fixed` keys stay; the cut is in (fixed, end]
  while (end > max_kept) {
    const double share = (0.5 * static_cast<double>(min_kept + max_kept) - static_cast<double>(fixed)) /
                         static_cast<double>(end - fixed);
    const uint64_t pivot = sampled_pivot(keys_.data() + fixed, end - fixed, share);
    const size_t cut = fixed + partition_from(keys_.data() + fixed, end - fixed, pivot);
    if (end - fixed < 64 || cut == end) {  // few are left, or the pivot was the worst key
      std::nth_element(begin + fixed, begin + (min_kept - 1), begin + end, std::greater<>());
      end = min_kept;
    } else {
      (cut >= min_kept ? end : fixed) = cut;
    }
  }
  size_ = end;
  if (size_ >= k_) threshold_ = std::max(threshold_, score_of_key(*std::min_element(begin, begin + size_)));
}

std::span<const uint64_t> TopK::take() {
  if (size_ > k_) keep_best(k_, k_);
  const size_t n = std::exchange(size_, 0);
  k_ = 0;
  threshold_ = std::numeric_limits<float>::infinity();
  const std::span<uint64_t> best(keys_.data(), n);
  sort_keys(best);
  return best;
}

}  // namespace pagoda::math
