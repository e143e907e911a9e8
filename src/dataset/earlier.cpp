#include "dataset/earlier.h"

#include <algorithm>

namespace pagoda::dataset {

namespace {

// Numbers the first strings first; `of` are numbers in `second`, which are rewritten.
columns::Interner joined(const columns::Interner& first, const columns::Interner& second, std::vector<uint32_t>& of) {
  columns::Interner all = first;
  std::vector<uint32_t> number(second.size());
  for (uint32_t i = 0; i < second.size(); ++i) number[i] = all.add(second[i]);
  for (uint32_t& n : of) n = number[n];
  return all;
}

template <class V>
void put_first(std::vector<V> first, std::vector<V>& then) {
  first.insert(first.end(), then.begin(), then.end());
  then = std::move(first);
}

}  // namespace

size_t put_before(const Earlier& earlier, data::Interactions& log) {
  const auto& member = earlier.member();
  const auto& states = member.user_states;
  const auto& histories = states.histories;
  const size_t rows = histories.values.size();
  log.users = joined(member.user_ids, log.users, log.user);
  log.items = joined(earlier.bundle->item_ids(), log.items, log.item);
  std::vector<uint32_t> user(rows);
  for (uint32_t u = 0; u < histories.size(); ++u)
    std::fill(user.begin() + static_cast<ptrdiff_t>(histories.offsets[u]),
              user.begin() + static_cast<ptrdiff_t>(histories.offsets[u + 1]), u);
  put_first(std::move(user), log.user);
  put_first(histories.values, log.item);
  if (log.has_time())
    put_first(earlier.time_us.empty() ? std::vector<int64_t>(rows, earlier.bundle->info().moment_us) : earlier.time_us,
              log.time_us);
  if (!log.weight.empty()) put_first(std::vector<float>(rows, 1.f), log.weight);
  for (size_t c = 0; c < log.context_names.size(); ++c) {
    columns::Interner values;
    const auto at = std::ranges::find(states.context_names, log.context_names[c]) - states.context_names.begin();
    const auto known = static_cast<size_t>(at);
    if (known < states.context_names.size()) values = states.context_values[known];
    std::vector<uint32_t> first(rows);
    for (size_t row = 0; row < rows; ++row) {
      const uint32_t latest =
          known < states.context_names.size() ? states.context[known][log.user[row]] : columns::Interner::kNone;
      first[row] = latest != columns::Interner::kNone ? latest : values.add("");
    }
    log.context_values[c] = joined(values, log.context_values[c], log.context[c]);
    put_first(std::move(first), log.context[c]);
  }
  log.integer_users &= earlier.bundle->info().integer_users;
  log.integer_items &= earlier.bundle->info().integer_items;
  return rows;
}

}  // namespace pagoda::dataset
