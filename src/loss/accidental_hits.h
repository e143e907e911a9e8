// Columns that must not count as negatives of a row.
#pragma once

#include <cstdint>
#include <span>

#include "core/thread_pool.h"
#include "math/ragged.h"

namespace pagoda::loss {

// masked[i] = the columns j, rising, where (a) items[j] is one of row i's positive items, or (b) items[j] is a positive
// of another row of the same user, or (c) items[j] is one of known[i], items of the row that are no targets now (its
// history); never a positive column of row i itself.
// users[i]: the row's user (any number; `kNoUser` rows share with nobody). items[j]: the item of column j.
// positives[i]: the columns that hold row i's positives. known: nullptr, or a list of items a row, in any order.
// O(B N / 64 + N + known + hits), no B x N mask; the same on any number of threads.
inline constexpr uint32_t kNoUser = UINT32_MAX;
math::Ragged<uint32_t> accidental_hits(ThreadPool& pool, std::span<const uint32_t> users,
                                       const math::Ragged<uint32_t>& positives, std::span<const uint32_t> items,
                                       const math::Ragged<uint32_t>* known = nullptr);

}  // namespace pagoda::loss
