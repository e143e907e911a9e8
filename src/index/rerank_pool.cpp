#include "index/rerank_pool.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>

#include "core/error.h"

namespace pagoda::index {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr size_t kHeadroom = 1024;  // rows beyond k before pruning pays off

// The smallest and the largest number, in lanes that the compiler vectorises.
std::pair<float, float> range(const float* x, size_t n) {
  constexpr size_t kLanes = 16;
  float lows[kLanes], highs[kLanes];
  std::fill_n(lows, kLanes, x[0]);
  std::fill_n(highs, kLanes, x[0]);
  size_t i = 0;
  for (; i + kLanes <= n; i += kLanes)
    for (size_t l = 0; l < kLanes; ++l) {
      lows[l] = x[i + l] < lows[l] ? x[i + l] : lows[l];
      highs[l] = x[i + l] > highs[l] ? x[i + l] : highs[l];
    }
  for (; i < n; ++i) {
    lows[0] = std::min(lows[0], x[i]);
    highs[0] = std::max(highs[0], x[i]);
  }
  return {*std::min_element(lows, lows + kLanes), *std::max_element(highs, highs + kLanes)};
}

}  // namespace

float kth_largest(const float* x, size_t n, size_t k, std::vector<float>& scratch) {
  check(k >= 1 && k <= n, "there is a k-th largest");
  // One pass finds the histogram bin that holds it, another collects the numbers of that bin, which are few.
  constexpr size_t kBins = 1024;
  const auto ends = range(x, n);
  const float min = ends.first, max = ends.second;
  const float width = max - min, to_bin = (kBins - 1) / width;
  if (width > 0 && std::isfinite(width) && std::isfinite(to_bin)) {
    std::array<uint32_t, kBins> count{};
    std::vector<uint16_t> bins(n);
    for (size_t i = 0; i < n; ++i) bins[i] = static_cast<uint16_t>(static_cast<int>((x[i] - min) * to_bin));
    for (size_t i = 0; i < n; ++i) ++count[bins[i]];
    size_t bin = kBins, above = 0;
    while (above + count[--bin] < k) above += count[bin];
    scratch.clear();
    for (size_t i = 0; i < n; ++i)
      if (bins[i] == bin) scratch.push_back(x[i]);
    k -= above;
  } else {
    scratch.assign(x, x + n);
  }
  const auto kth = scratch.begin() + static_cast<std::ptrdiff_t>(k - 1);
  std::nth_element(scratch.begin(), kth, scratch.end(), std::greater<>());
  return *kth;
}

void RerankPool::reset(size_t k, float margin, float min_score) {
  check(k > 0 && margin >= 0, "a rerank pool has k > 0 and margin >= 0");
  k_ = k;
  margin_ = margin;
  size_ = fresh_ = 0;
  limit_ = k + kHeadroom;
  threshold_ = std::nextafter(min_score, -kInfinity);
  kth_ = -kInfinity;
}

void RerankPool::reserve(size_t n) {
  if (scores_.size() >= size_ + n + kBlockRows) return;
  const size_t room = std::max(size_ + n + kBlockRows, 2 * scores_.size());
  scores_.resize(room);
  positions_.resize(room);
}

void RerankPool::begin_scan(size_t n, CodeScan& scan) {
  reserve(n);
  scan.scores = scores_.data() + size_;
  scan.positions = positions_.data() + size_;
  scan.found = 0;
}

void RerankPool::end_scan(const CodeScan& scan) {
  size_ += scan.found;
  if (size_ > limit_) prune();
}

void RerankPool::fork_from(const RerankPool& origin) {
  k_ = origin.k_;
  margin_ = origin.margin_;
  limit_ = origin.limit_;
  threshold_ = origin.threshold_;
  kth_ = origin.kth_;
  size_ = 0;
  reserve(origin.size_);
  std::copy_n(origin.scores_.data(), origin.size_, scores_.data());
  std::copy_n(origin.positions_.data(), origin.size_, positions_.data());
  size_ = fresh_ = origin.size_;
}

void RerankPool::merge(const RerankPool& fork) {
  const size_t n = fork.size_ - fork.fresh_;
  reserve(n);
  std::copy_n(fork.scores_.data() + fork.fresh_, n, scores_.data() + size_);
  std::copy_n(fork.positions_.data() + fork.fresh_, n, positions_.data() + size_);
  size_ += n;
  threshold_ = std::max(threshold_, fork.threshold_);
}

size_t RerankPool::count_fresh(float score) const {
  return static_cast<size_t>(
      std::count_if(scores_.data() + fresh_, scores_.data() + size_, [&](float s) { return s >= score; }));
}

void RerankPool::prune() {
  if (size_ >= k_) {
    kth_ = kth_largest(scores_.data(), size_, k_, scratch_);
    threshold_ = std::max(threshold_, std::nextafter(kth_ - margin_, -kInfinity));
  }
  const auto keep_above = code_kernels().keep_above;
  const size_t old = keep_above(scores_.data(), positions_.data(), fresh_, threshold_);
  const size_t fresh = keep_above(scores_.data() + fresh_, positions_.data() + fresh_, size_ - fresh_, threshold_);
  if (old != fresh_) {
    std::copy_n(scores_.data() + fresh_, fresh, scores_.data() + old);
    std::copy_n(positions_.data() + fresh_, fresh, positions_.data() + old);
  }
  fresh_ = old;
  size_ = old + fresh;
  limit_ = std::max(k_ + kHeadroom, size_ + size_ / 2) + k_ / 2;
}

}  // namespace pagoda::index
