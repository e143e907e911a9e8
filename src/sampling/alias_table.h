// Draws from a fixed distribution in constant time.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/rng.h"

namespace pagoda::sampling {

// Walker's alias method, filled as Vose (1991) does. 8 bytes an outcome. Immutable: may be shared between threads.
class AliasTable {
 public:
  // Weights need not add up to 1; at least one is above 0, none below.
  explicit AliasTable(std::span<const double> weights);
  uint32_t draw(Rng& rng) const {
    const auto slot = static_cast<uint32_t>(rng.below(keep_.size()));
    return rng.uniform() < keep_[slot] ? slot : alias_[slot];
  }
  size_t size() const { return keep_.size(); }

 private:
  std::vector<float> keep_;
  std::vector<uint32_t> alias_;
};

}  // namespace pagoda::sampling
