// A count-min sketch whose counts decay: the baseline for streaming frequency estimation.
#pragma once

#include <cstdint>
#include <memory>

#include "sampling/frequency.h"

namespace pagoda::simulate {

struct DecayedCountMinOptions {
  double half_life = 100000;  // draws after which a draw counts half
  int64_t rows = 2;           // hashes
  int64_t columns = 1 << 18;  // cells per hash
  // Conservative update (Estan and Varghese 2002): only the lowest cells are raised, and only as far as needed, so that
  // what an item shares with another is counted once, not twice.
  bool conservative = true;
};

// Count-min (Cormode and Muthukrishnan 2005) with exponential decay: p(y) = min_k C_k[h_k(y)] / total, where counts and
// total halve every half_life draws. It is the exact decayed share if the item shares no cell, and too high otherwise.
// An item that was never drawn reads as half a draw. The cells do not shrink; each draw weighs more than the one before
// (forward decay), and the cells are scaled back before they overflow. 4 bytes per cell. It cannot be saved.
// Error{usage}: a half-life not above 0, no row or more than 16, no column.
std::unique_ptr<sampling::Frequency> make_decayed_count_min(const DecayedCountMinOptions& options, uint64_t seed);

}  // namespace pagoda::simulate
