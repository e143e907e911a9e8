#include "index/rerank_pool.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>

#include "core/error.h"

namespace pagoda::index {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr size_t kSlack = 1024;  // rows held past k before it is worth cutting

// The least and the largest, in lanes that the compiler turns into vectors.
std::pair<float, float> range(const float* x, size_t n) {
  constexpr size_t kLanes = 16;
  float least[kLanes], most[kLanes];
  std::fill_n(least, kLanes, x[0]), std::fill_n(most, kLanes, x[0]);
  size_t i = 0;
  for (; i + kLanes <= n; i += kLanes)
    for (size_t l = 0; l < kLanes; ++l) {
      least[l] = x[i + l] < least[l] ? x[i + l] : least[l];
      most[l] = x[i + l] > most[l] ? x[i + l] : most[l];
    }
  for (; i < n; ++i) least[0] = std::min(least[0], x[i]), most[0] = std::max(most[0], x[i]);
  return {*std::min_element(least, least + kLanes), *std::max_element(most, most + kLanes)};
}

}  // namespace

float kth_largest(const float* x, size_t n, size_t k, std::vector<float>& scratch) {
  check(k >= 1 && k <= n, "there is a k-th largest");
  // One pass says which stretch of values holds it, another takes out that stretch, which is small.
  constexpr size_t kBins = 1024;
  const auto ends = range(x, n);
  const float least = ends.first, most = ends.second;
  const float width = most - least, to_bin = (kBins - 1) / width;
  if (width > 0 && std::isfinite(width) && std::isfinite(to_bin)) {
    std::array<uint32_t, kBins> count{};
    std::vector<uint16_t> bins(n);
    for (size_t i = 0; i < n; ++i) bins[i] = static_cast<uint16_t>(static_cast<int>((x[i] - least) * to_bin));
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

void RerankPool::reset(size_t k, float margin, float least) {
  check(k > 0 && margin >= 0, "a shortlist of some rows, with some margin");
  k_ = k, margin_ = margin, size_ = fresh_ = 0, limit_ = k + kSlack;
  threshold_ = std::nextafter(least, -kInfinity);
  kth_ = -kInfinity;
}

void RerankPool::reserve(size_t n) {
  if (scores_.size() >= size_ + n + kBlockRows) return;
  const size_t room = std::max(size_ + n + kBlockRows, 2 * scores_.size());
  scores_.resize(room), positions_.resize(room);
}

void RerankPool::open(size_t n, CodeScan& scan) {
  reserve(n);
  scan.scores = scores_.data() + size_, scan.positions = positions_.data() + size_, scan.found = 0;
}

void RerankPool::close(const CodeScan& scan) {
  size_ += scan.found;
  if (size_ > limit_) cut();
}

void RerankPool::follow(const RerankPool& first) {
  k_ = first.k_, margin_ = first.margin_, limit_ = first.limit_, threshold_ = first.threshold_, kth_ = first.kth_;
  size_ = 0;
  reserve(first.size_);
  std::copy_n(first.scores_.data(), first.size_, scores_.data());
  std::copy_n(first.positions_.data(), first.size_, positions_.data());
  size_ = fresh_ = first.size_;
}

void RerankPool::merge(const RerankPool& follower) {
  const size_t n = follower.size_ - follower.fresh_;
  reserve(n);
  std::copy_n(follower.scores_.data() + follower.fresh_, n, scores_.data() + size_);
  std::copy_n(follower.positions_.data() + follower.fresh_, n, positions_.data() + size_);
  size_ += n;
  threshold_ = std::max(threshold_, follower.threshold_);
}

size_t RerankPool::fresh_from(float score) const {
  return static_cast<size_t>(
      std::count_if(scores_.data() + fresh_, scores_.data() + size_, [&](float s) { return s >= score; }));
}

void RerankPool::cut() {
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
  fresh_ = old, size_ = old + fresh;
  limit_ = std::max(k_ + kSlack, size_ + size_ / 2) + k_ / 2;
}

}  // namespace pagoda::index
