// A count-min sketch whose counts decay: what streaming frequency estimation is compared with.
#pragma once

#include <cstdint>
#include <memory>

#include "sampling/frequency.h"

namespace pagoda::simulate {

struct DecayedCountMinOptions {
  double half_life = 100000;  // draws after which a draw counts half
  int64_t rows = 2;           // hashes
  int64_t columns = 1 << 18;  // cells of each
  // Only the cells that stand lowest are raised, and no further than they need to (Estan and Varghese 2002, conservative
  // update): what an item shares with another is counted once, not twice.
  bool conservative = true;
};

// Cormode and Muthukrishnan 2005 (count-min) with exponential decay: p(y) = min_k C_k[h_k(y)] / total, counts and total
// halving every half_life draws; so it is the exact decayed share where no cell is shared, and too high where one is.
// An item in no cell reads as half a draw. Instead of all cells shrinking, each draw weighs more than the one before
// (forward decay); the cells are scaled back before they overflow. 4 bytes a cell. It can not be saved.
// Error{usage}: a half-life not above 0, no row or more than 16, no column.
std::unique_ptr<sampling::Frequency> make_decayed_count_min(const DecayedCountMinOptions& options, uint64_t seed);

}  // namespace pagoda::simulate
