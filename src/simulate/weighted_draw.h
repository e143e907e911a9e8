// Draws rows by weight, in constant time.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/rng.h"

namespace pagoda::simulate {

// Walker's alias method, built as in Vose 1991: every row has one cell, which holds the row itself up to `keep` and one
// other row beyond it. Immutable, so threads may share it, each with its own Rng.
class WeightedDraw {
 public:
  WeightedDraw() = default;
  explicit WeightedDraw(std::span<const double> weights);  // finite, none negative; all 0: empty

  bool empty() const { return cells_.empty(); }
  uint32_t draw(Rng& rng) const {  // must not be empty; a row of weight 0 is never drawn
    const uint64_t row = rng.below(cells_.size());
    const Cell& cell = cells_[row];
    return rng.uniform() < cell.keep ? static_cast<uint32_t>(row) : cell.other;
  }

 private:
  struct Cell {
    float keep;
    uint32_t other;
  };
  std::vector<Cell> cells_;
};

}  // namespace pagoda::simulate
