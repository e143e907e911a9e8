#include "sampling/alias_table.h"

#include <algorithm>
#include <numeric>

#include "core/error.h"

namespace pagoda::sampling {

AliasTable::AliasTable(std::span<const double> weights) : keep_(weights.size(), 1.0f), alias_(weights.size()) {
  const double total = std::accumulate(weights.begin(), weights.end(), 0.0);
  check(total > 0, "a distribution has an outcome to draw");
  const auto n = static_cast<double>(weights.size());
  std::vector<double> scaled(weights.size());
  std::vector<uint32_t> small, large;
  for (uint32_t i = 0; i < weights.size(); ++i) {
    check(weights[i] >= 0, "a weight is not negative");
    scaled[i] = weights[i] / total * n;
    alias_[i] = i;
    (scaled[i] < 1 ? small : large).push_back(i);
  }
  // Each small outcome's slot is filled up by a large one.
  while (!small.empty() && !large.empty()) {
    const uint32_t low = small.back(), high = large.back();
    small.pop_back();
    keep_[low] = static_cast<float>(scaled[low]);
    alias_[low] = high;
    scaled[high] -= 1 - scaled[low];
    if (scaled[high] >= 1) continue;
    large.pop_back();
    small.push_back(high);
  }
  // What is left over differs from 1 by rounding alone, and keeps its whole slot; but an outcome of weight 0 is never
  // drawn.
  for (const uint32_t low : small)
    if (weights[low] == 0) {
      keep_[low] = 0;
      alias_[low] = static_cast<uint32_t>(std::max_element(weights.begin(), weights.end()) - weights.begin());
    }
}

}  // namespace pagoda::sampling
