#include "diagnose/hits.h"

#include <algorithm>
#include <cmath>
#include <unordered_map>

#include "core/error.h"
#include "diagnose/columns.h"

namespace pagoda::diagnose {

namespace {

double pairs_of(uint64_t n) { return static_cast<double>(n) * (static_cast<double>(n) - 1); }  // ordered

uint64_t rows_in(std::span<const uint64_t> counts) {
  uint64_t sum = 0;
  for (const uint64_t n : counts) sum += n;
  return sum;
}

}  // namespace

std::vector<UserItem> user_items(std::span<const uint32_t> user, std::span<const uint32_t> item) {
  check(user.size() == item.size(), "each row has a user and an item");
  std::vector<uint64_t> keys(user.size());
  for (size_t row = 0; row < keys.size(); ++row) keys[row] = uint64_t{user[row]} << 32 | item[row];
  std::sort(keys.begin(), keys.end());
  std::vector<UserItem> pairs;
  for (size_t i = 0; i < keys.size(); ++i) {
    if (i == 0 || keys[i] != keys[i - 1])
      pairs.push_back({static_cast<uint32_t>(keys[i] >> 32), static_cast<uint32_t>(keys[i]), 0});
    ++pairs.back().clicks;
  }
  return pairs;
}

uint64_t accidental_hits_of_batch(std::span<const uint32_t> user, std::span<const uint32_t> item) {
  std::unordered_map<uint32_t, uint64_t> columns_of;  // item -> columns of the batch
  for (const uint32_t i : item) ++columns_of[i];
  const auto pairs = user_items(user, item);
  uint64_t hits = 0;
  for (size_t first = 0, last = 0; first < pairs.size(); first = last) {
    uint64_t rows = 0, columns = 0;
    for (; last < pairs.size() && pairs[last].user == pairs[first].user; ++last) {
      rows += pairs[last].clicks;
      columns += columns_of[pairs[last].item];
    }
    hits += rows * (columns - 1);  // each row, except its own column
  }
  return hits;
}

double accidental_hit_share(std::span<const UserItem> pairs, std::span<const uint64_t> user_rows,
                            std::span<const uint64_t> item_rows, uint64_t batch) {
  const uint64_t rows = rows_in(user_rows);
  check(batch >= 2 && batch <= rows, "a batch of two rows or more, not longer than the log");
  double hits = 0;
  for (const uint64_t n : item_rows) hits += pairs_of(n);
  for (const uint64_t n : user_rows) hits += pairs_of(n);
  for (const auto& p : pairs) {
    hits -= pairs_of(p.clicks);  // the same item and the same user: counted twice above
    const double others =
        static_cast<double>(user_rows[p.user] - p.clicks) * static_cast<double>(item_rows[p.item] - p.clicks);
    if (others > 0) hits += others * -std::expm1(log_absence(rows - 2, p.clicks, batch - 2));
  }
  return hits / pairs_of(rows);
}

double accidental_hit_share_in_order(std::span<const uint32_t> user, std::span<const uint32_t> item, uint64_t batch) {
  check(batch >= 2 && batch <= user.size(), "a batch of two rows or more, not longer than the log");
  uint64_t hits = 0;
  const uint64_t steps = user.size() / batch;
  for (uint64_t step = 0; step < steps; ++step)
    hits += accidental_hits_of_batch(user.subspan(step * batch, batch), item.subspan(step * batch, batch));
  return static_cast<double>(hits) / (static_cast<double>(steps) * pairs_of(batch));
}

double liked_share_in_batch(std::span<const UserItem> pairs, std::span<const uint64_t> user_rows,
                            std::span<const uint64_t> item_rows) {
  const uint64_t rows = rows_in(user_rows);
  double liked = -static_cast<double>(rows);  // a row's own column
  for (const auto& p : pairs) liked += static_cast<double>(user_rows[p.user]) * static_cast<double>(item_rows[p.item]);
  return liked / pairs_of(rows);
}

double liked_share_uniform(std::span<const UserItem> pairs, std::span<const uint64_t> user_rows, uint64_t items) {
  double liked = 0;
  for (const auto& p : pairs) liked += static_cast<double>(user_rows[p.user]);
  return liked / (static_cast<double>(rows_in(user_rows)) * static_cast<double>(items));
}

}  // namespace pagoda::diagnose
