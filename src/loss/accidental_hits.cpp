#include "loss/accidental_hits.h"

#include <algorithm>
#include <utility>
#include <numeric>
#include <vector>

#include "core/error.h"

namespace pagoda::loss {

math::Ragged<uint32_t> accidental_hits(std::span<const uint32_t> users, const math::Ragged<uint32_t>& positives,
                                       std::span<const uint32_t> items) {
  const size_t batch = users.size();
  check(positives.size() == batch, "every row has a user and a list of positives");

  // The columns by item, then by number, so that one item's columns are adjacent and ascending.
  std::vector<uint32_t> by_item(items.size());
  std::iota(by_item.begin(), by_item.end(), 0u);
  if (!std::is_sorted(items.begin(), items.end()))
    std::ranges::stable_sort(by_item, {}, [&](uint32_t column) { return items[column]; });

  // One user's rows are adjacent; a row of an unknown user is a group of its own.
  std::vector<uint32_t> rows(batch);
  std::iota(rows.begin(), rows.end(), 0u);
  std::ranges::stable_sort(rows, {}, [&](uint32_t row) { return users[row]; });

  math::Ragged<uint32_t> of_groups;  // per group, ascending: the columns that hold any of its positive items
  std::vector<uint32_t> group_of(batch), wanted;
  for (size_t begin = 0, end; begin < batch; begin = end) {
    const uint32_t user = users[rows[begin]];
    for (end = begin + 1; end < batch && user != kNoUser && users[rows[end]] == user;) ++end;
    wanted.clear();
    for (size_t k = begin; k < end; ++k) {
      group_of[rows[k]] = static_cast<uint32_t>(of_groups.size());
      for (const uint32_t column : positives[rows[k]]) {
        check(column < items.size(), "a positive is one of the columns");
        wanted.push_back(items[column]);
      }
    }
    std::ranges::sort(wanted);
    wanted.erase(std::unique(wanted.begin(), wanted.end()), wanted.end());
    const size_t first = of_groups.values.size();
    for (const uint32_t item : wanted) {
      const auto columns = std::ranges::equal_range(by_item, item, {}, [&](uint32_t column) { return items[column]; });
      of_groups.values.insert(of_groups.values.end(), columns.begin(), columns.end());
    }
    std::sort(of_groups.values.begin() + static_cast<ptrdiff_t>(first), of_groups.values.end());
    of_groups.close();
  }

  math::Ragged<uint32_t> masked;
  masked.offsets.reserve(batch + 1);
  std::vector<uint32_t> own;
  for (size_t row = 0; row < batch; ++row) {
    own.assign(positives[row].begin(), positives[row].end());
    std::ranges::sort(own);
    std::ranges::set_difference(std::as_const(of_groups)[group_of[row]], own, std::back_inserter(masked.values));
    masked.close();
  }
  return masked;
}

void mask_known(const math::Ragged<uint32_t>& known, const math::Ragged<uint32_t>& positives,
                std::span<const uint32_t> items, math::Ragged<uint32_t>& masked) {
  std::vector<std::pair<uint32_t, uint32_t>> columns(items.size());  // (item, column), rising
  for (uint32_t j = 0; j < items.size(); ++j) columns[j] = {items[j], j};
  if (!std::is_sorted(columns.begin(), columns.end())) std::sort(columns.begin(), columns.end());
  math::Ragged<uint32_t> all;
  std::vector<uint32_t> own, row;
  for (size_t i = 0; i < known.size(); ++i) {
    const auto before = std::as_const(masked)[i], positive = positives[i];
    row.assign(before.begin(), before.end());
    own.assign(positive.begin(), positive.end());
    std::sort(own.begin(), own.end());
    for (const auto item : known[i])
      for (auto at = std::lower_bound(columns.begin(), columns.end(), std::pair(item, 0u));
           at != columns.end() && at->first == item; ++at)
        if (!std::binary_search(own.begin(), own.end(), at->second)) row.push_back(at->second);
    std::sort(row.begin(), row.end());
    row.erase(std::unique(row.begin(), row.end()), row.end());
    all.push(row);
  }
  masked = std::move(all);
}

}  // namespace pagoda::loss
