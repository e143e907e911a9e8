#include "simulate/weighted_draw.h"

#include <cmath>
#include <numeric>

#include "core/error.h"

namespace pagoda::simulate {

WeightedDraw::WeightedDraw(std::span<const double> weights) {
  check(weights.size() < UINT32_MAX, "rows are 32-bit");
  for (double w : weights) check(std::isfinite(w) && w >= 0, "a weight is finite and not negative");
  const double total = std::accumulate(weights.begin(), weights.end(), 0.0);
  if (total <= 0) return;
  cells_.resize(weights.size());
  std::vector<double> share(weights.size());
  std::vector<uint32_t> small, large;
  uint32_t heaviest = 0;
  for (uint32_t row = 0; row < weights.size(); ++row) {
    share[row] = weights[row] * static_cast<double>(weights.size()) / total;
    (share[row] < 1 ? small : large).push_back(row);
    if (weights[row] > weights[heaviest]) heaviest = row;
  }
  while (!small.empty() && !large.empty()) {
    const uint32_t row = small.back(), other = large.back();
    small.pop_back();
    cells_[row] = {static_cast<float>(share[row]), other};
    share[other] -= 1 - share[row];
    if (share[other] < 1) {
      large.pop_back();
      small.push_back(other);
    }
  }
  // What rounding leaves over has share 1, except a row of weight 0, which must not be drawn.
  for (uint32_t row : large) cells_[row] = {1, row};
  for (uint32_t row : small) cells_[row] = {weights[row] > 0 ? 1.f : 0.f, heaviest};
}

}  // namespace pagoda::simulate
