#include "train/drift.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "core/log.h"
#include "index/index.h"

namespace pagoda::train {

namespace {

constexpr size_t kUsers = 1000, kLength = 100;

double cosine(std::span<const float> a, std::span<const float> b) {
  double product = 0, of_a = 0, of_b = 0;
  for (size_t k = 0; k < a.size(); ++k) {
    product += static_cast<double>(a[k]) * static_cast<double>(b[k]);
    of_a += static_cast<double>(a[k]) * static_cast<double>(a[k]);
    of_b += static_cast<double>(b[k]) * static_cast<double>(b[k]);
  }
  return of_a > 0 && of_b > 0 ? product / std::sqrt(of_a * of_b) : 0;
}

// Evenly over all users with a history.
std::vector<uint32_t> sampled_users(const model::UserStates& states) {
  std::vector<uint32_t> users;
  for (uint32_t user = 0; user < states.size(); ++user)
    if (!states.histories[user].empty()) users.push_back(user);
  std::vector<uint32_t> sample;
  for (size_t i = 0; i < std::min(kUsers, users.size()); ++i)
    sample.push_back(users[i * users.size() / std::min(kUsers, users.size())]);
  return sample;
}

}  // namespace

Drift measure_drift(ThreadPool& pool, const model::Bundle& before, const model::Bundle& now) {
  Drift drift{.items = before.item_ids().size()};
  math::Matrix<float> then_room, now_room;
  const auto then = math::as_floats(before.item_vectors(), then_room);
  const auto today = math::as_floats(now.item_vectors(), now_room).slice_rows(0, drift.items);
  double sum = 0;
  for (size_t item = 0; item < drift.items; ++item) sum += cosine(then.row(item), today.row(item));
  drift.mean_cosine = sum / static_cast<double>(drift.items);

  const auto& member = before.members()[0];
  const auto users = sampled_users(member.user_states);
  drift.users = users.size();
  drift.length = std::min(kLength, drift.items);
  if (users.empty()) return drift;
  const auto vectors =
      model::known_user_vectors(pool, member.model, member.user_cells, member.user_states, member.item_id_rows, users);
  const auto lists = index::make_exact_index(then)->search(pool, vectors, {.k = drift.length});
  const auto renewed = index::make_exact_index(today)->search(pool, vectors, {.k = drift.length});
  size_t kept = 0;
  for (size_t i = 0; i < users.size(); ++i) {
    const std::set<uint32_t> list(lists.items[i].begin(), lists.items[i].end());
    for (const uint32_t item : renewed.items[i]) kept += list.contains(item);
  }
  drift.kept = static_cast<double>(kept) / static_cast<double>(lists.items.values.size());
  return drift;
}

void say_drift(ThreadPool& pool, const model::Bundle& before, const model::Bundle& now) {
  const auto drift = measure_drift(pool, before, now);
  log_info(
      "against {}: vectors of its {} items moved to a mean cosine of {:.3f}; {:.0f}% of the lists of its user vectors "
      "({} users, {} items) stand with the items of now",
      before.file().path(), drift.items, drift.mean_cosine, 100 * drift.kept, drift.users, drift.length);
}

}  // namespace pagoda::train
