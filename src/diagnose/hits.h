// Counts columns that are not negatives: those that are masked, and those that no mask knows of.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace pagoda::diagnose {

// A user's clicks on one item.
struct UserItem {
  uint32_t user, item;
  uint64_t clicks;
};

// The log's distinct pairs, ordered by user, then item. user and item [N] are parallel. Sorting takes 8 bytes per row.
std::vector<UserItem> user_items(std::span<const uint32_t> user, std::span<const uint32_t> item);

// Accidental hits of one batch: over all its rows, the columns of other rows whose item is the row's own, or a positive
// of another row of the same user (as loss/accidental_hits.h masks them). user and item [B] are parallel.
uint64_t accidental_hits_of_batch(std::span<const uint32_t> user, std::span<const uint32_t> item);

// The expected share of hits among the B - 1 columns that a row gets from the other rows of a shuffled batch. Exact: a
// row and a column, both drawn from the log, are a hit if
//   - they have the same item or the same user, or
//   - of the c clicks of the row's user on the column's item at least one is among the other B - 2 rows of the batch.
// user_rows, item_rows: rows of the log for each user, each item. 2 <= B <= N.
double accidental_hit_share(std::span<const UserItem> pairs, std::span<const uint64_t> user_rows,
                            std::span<const uint64_t> item_rows, uint64_t batch);

// The mean of hits / (B (B - 1)) over the whole batches of the log in its own order: for a log in order of time, that
// of a pass in that order.
double accidental_hit_share_in_order(std::span<const uint32_t> user, std::span<const uint32_t> item, uint64_t batch);

// The expected share of columns whose item the row's user clicks anywhere in the log, in this batch or not.
double liked_share_in_batch(std::span<const UserItem> pairs, std::span<const uint64_t> user_rows,
                            std::span<const uint64_t> item_rows);
double liked_share_uniform(std::span<const UserItem> pairs, std::span<const uint64_t> user_rows, uint64_t items);

}  // namespace pagoda::diagnose
