// Columns that must not count as negatives of a row.
#pragma once

#include <cstdint>
#include <span>

#include "math/ragged.h"

namespace pagoda::loss {

// masked[i] = the columns j, rising, where (a) items[j] is one of row i's positive items, or (b) items[j] is a positive
// of another row of the same user; never a positive column of row i itself.
// users[i]: the row's user (any number; `kNoUser` rows share with nobody). items[j]: the item of column j.
// positives[i]: the columns that hold row i's positives. O((B + N) log + hits), no B x N mask.
inline constexpr uint32_t kNoUser = UINT32_MAX;
math::Ragged<uint32_t> accidental_hits(std::span<const uint32_t> users, const math::Ragged<uint32_t>& positives,
                                       std::span<const uint32_t> items);

// Adds to masked[i] the columns whose item is one of known[i], items of the row that are no targets now (its history):
// never a positive column of row i. known[i] rises. O(N log N + known log N).
void mask_known(const math::Ragged<uint32_t>& known, const math::Ragged<uint32_t>& positives,
                std::span<const uint32_t> items, math::Ragged<uint32_t>& masked);

}  // namespace pagoda::loss
