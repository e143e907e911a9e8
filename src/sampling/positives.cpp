#include "sampling/positives.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/rng.h"

namespace pagoda::sampling {

PositiveDownsampling::PositiveDownsampling(double threshold, std::span<const uint64_t> counts, uint64_t seed)
    : seed_(seed) {
  if (threshold <= 0) return;
  const auto total = static_cast<double>(std::accumulate(counts.begin(), counts.end(), uint64_t{0}));
  for (const uint64_t count : counts) {
    const double z = static_cast<double>(count) / total;
    keep_.push_back(count == 0 ? 1.0 : std::min(1.0, (std::sqrt(z / threshold) + 1) * threshold / z));
  }
}

bool PositiveDownsampling::kept(uint64_t epoch, uint64_t event, uint32_t item) const {
  if (!active() || keep_[item] >= 1) return true;
  return Rng(seed_, Stream::positives, epoch, event).uniform() < keep_[item];
}

std::vector<uint64_t> PositiveDownsampling::kept_counts(std::span<const uint64_t> counts) const {
  std::vector<uint64_t> kept(counts.begin(), counts.end());
  for (uint32_t item = 0; item < kept.size() && active(); ++item)
    kept[item] = static_cast<uint64_t>(std::llround(static_cast<double>(kept[item]) * keep_[item]));
  return kept;
}

}  // namespace pagoda::sampling
