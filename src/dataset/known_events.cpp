#include "dataset/known_events.h"

#include <algorithm>

namespace pagoda::dataset {

KnownEvents::KnownEvents(const Dataset& data, const data::OtherRows& rows, bool with_validation)
    : rows_(rows), end_(rows.first_test) {
  const auto& log = data.log;
  if (log.has_time()) {
    cut(data, true);
    if (!with_validation) cut(data, false);
    return;
  }
  for (size_t row = 0; row < log.size(); ++row) {
    if (data.trains(row, with_validation)) continue;
    const auto user = rows.users.find(log.users[log.user[row]]), item = rows.items.find(log.items[log.item[row]]);
    if (user != columns::Interner::kNone && item != columns::Interner::kNone) held_.emplace_back(user, item);
  }
  std::ranges::sort(held_);
}

void KnownEvents::cut(const Dataset& data, bool with_validation) {
  const auto& log = data.log;
  std::vector<int64_t> first(log.users.size(), INT64_MAX);  // that is held out
  int64_t first_of_all = INT64_MAX, last = INT64_MIN;       // last: that trains
  for (size_t row = 0; row < log.size(); ++row) {
    if (data.trains(row, with_validation)) {
      last = std::max(last, log.time_us[row]);
      continue;
    }
    first[log.user[row]] = std::min(first[log.user[row]], log.time_us[row]);
    first_of_all = std::min(first_of_all, log.time_us[row]);
  }
  if (first_of_all == INT64_MAX) return;
  const bool by_time = last <= first_of_all;
  before_us_.resize(rows_.users.size(), INT64_MAX);
  for (uint32_t user = 0; user < rows_.users.size(); ++user) {
    const auto of = log.users.find(rows_.users[user]);
    const int64_t own = by_time ? first_of_all : of != columns::Interner::kNone ? first[of] : INT64_MAX;
    before_us_[user] = std::min(before_us_[user], own);
  }
}

bool KnownEvents::operator()(size_t row) const {
  if (row >= end_) return false;
  if (!before_us_.empty()) return rows_.time_us[row] < before_us_[rows_.user[row]];
  return held_.empty() || !std::ranges::binary_search(held_, std::pair(rows_.user[row], rows_.item[row]));
}

}  // namespace pagoda::dataset
