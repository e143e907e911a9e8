#include "model/nearest_items.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <iterator>
#include <numeric>
#include <utility>

#include "core/rng.h"
#include "math/positive_definite.h"

namespace pagoda::model {

namespace {

// Of lists of numbers below `size`: for each number the lists that hold it, rising.
math::Ragged<uint32_t> inverted(const math::Ragged<uint32_t>& lists, size_t size) {
  math::Ragged<uint32_t> out;
  out.offsets.assign(size + 1, 0);
  for (const uint32_t value : lists.values) ++out.offsets[value + 1];
  std::partial_sum(out.offsets.begin(), out.offsets.end(), out.offsets.begin());
  out.values.resize(lists.values.size());
  std::vector<uint64_t> next(out.offsets.begin(), out.offsets.end() - 1);
  for (size_t i = 0; i < lists.size(); ++i)
    for (const uint32_t value : lists[i]) out.values[next[value]++] = static_cast<uint32_t>(i);
  return out;
}

// Sums by item over the whole catalogue, of one item at a time.
class Sums {
 public:
  explicit Sums(size_t items) : of_(items) {}
  void add(uint32_t item, double amount) {
    if (of_[item] == 0) touched_.push_back(item);
    of_[item] += amount;
  }
  // Calls use(item, sum) for each item that was added to, and forgets them.
  template <class Use>
  void take(const Use& use) {
    for (const uint32_t item : touched_) use(item, std::exchange(of_[item], 0));
    touched_.clear();
  }

 private:
  std::vector<double> of_;
  std::vector<uint32_t> touched_;
};

std::vector<Neighbour> cosine(uint32_t item, const math::Ragged<uint32_t>& lists,
                              const math::Ragged<uint32_t>& users_of, const NearestOptions& options, Sums& sums) {
  const auto own = users_of[item];
  for (const uint32_t user : own)
    for (const uint32_t other : lists[user]) sums.add(other, 1);
  std::vector<Neighbour> near;
  sums.take([&](uint32_t other, double both) {
    if (other == item) return;
    const double length = std::sqrt(static_cast<double>(own.size()) * static_cast<double>(users_of[other].size()));
    near.push_back({other, static_cast<float>(both / (length + options.shrinkage))});
  });
  return near;
}

std::vector<Neighbour> swing(uint32_t item, const math::Ragged<uint32_t>& lists, const math::Ragged<uint32_t>& users_of,
                             const NearestOptions& options, Sums& sums) {
  std::vector<uint32_t> users(users_of[item].begin(), users_of[item].end());
  if (users.size() > options.swing_users) {
    Rng(options.seed, Stream::baselines, item).shuffle(std::span(users));
    users.resize(options.swing_users);
  }
  std::vector<uint32_t> both;
  for (size_t u = 0; u < users.size(); ++u)
    for (size_t v = u + 1; v < users.size(); ++v) {
      const auto a = lists[users[u]], b = lists[users[v]];
      both.clear();
      std::ranges::set_intersection(a, b, std::back_inserter(both));
      const double lengths = std::sqrt(static_cast<double>(a.size()) * static_cast<double>(b.size()));
      const double amount = 1 / (lengths * (options.shrinkage + static_cast<double>(both.size())));
      for (const uint32_t other : both) sums.add(other, amount);
    }
  std::vector<Neighbour> near;
  sums.take([&](uint32_t other, double sum) {
    if (other != item) near.push_back({other, static_cast<float>(sum)});
  });
  return near;
}

// The items that most users had, in order of their rows.
std::vector<uint32_t> most_popular(const math::Ragged<uint32_t>& users_of, size_t most) {
  std::vector<uint32_t> popular;
  for (size_t item = 0; item < users_of.size(); ++item)
    if (!users_of[item].empty()) popular.push_back(static_cast<uint32_t>(item));
  if (popular.size() > most) {
    std::ranges::stable_sort(popular, std::greater(), [&](uint32_t item) { return users_of[item].size(); });
    popular.resize(most);
    std::ranges::sort(popular);
  }
  return popular;
}

math::Ragged<Neighbour> ease(ThreadPool& pool, const math::Ragged<uint32_t>& lists,
                             const math::Ragged<uint32_t>& users_of, const NearestOptions& options) {
  const auto items = most_popular(users_of, options.ease_items);
  constexpr uint32_t kNone = UINT32_MAX;
  std::vector<uint32_t> column_of(users_of.size(), kNone);
  double rows = 0;
  for (size_t column = 0; column < items.size(); ++column) {
    column_of[items[column]] = static_cast<uint32_t>(column);
    rows += static_cast<double>(users_of[items[column]].size());
  }
  const auto lambda =
      static_cast<float>(options.shrinkage * rows / static_cast<double>(std::max<size_t>(1, items.size())));
  math::Matrix<float> inverse(items.size(),
                              items.size());  // of X'X + lambda I, the upper triangle of which comes first
  constexpr size_t kRows = 16;                // of a task
  pool.for_chunks(items.size(), kRows, [&](size_t begin, size_t end) {
    for (size_t row = begin; row < end; ++row) {
      for (const uint32_t user : users_of[items[row]])
        for (const uint32_t other : lists[user])
          if (const auto column = column_of[other]; column != kNone && column >= row) inverse[row][column] += 1;
      inverse[row][row] += lambda;
    }
  });
  math::invert_positive_definite(pool, inverse);

  std::vector<std::vector<Neighbour>> near(items.size());
  pool.for_chunks(items.size(), kRows, [&](size_t begin, size_t end) {
    for (size_t row = begin; row < end; ++row) {
      auto& own = near[row];
      for (size_t column = 0; column < items.size(); ++column)
        if (const float s = -inverse[row][column] / inverse[column][column]; column != row && s != 0)
          own.push_back({items[column], s});
      const auto says_more = [](const Neighbour& a, const Neighbour& b) {
        const float of_a = std::abs(a.similarity), of_b = std::abs(b.similarity);
        return of_a != of_b ? of_a > of_b : a.item < b.item;
      };
      const size_t kept = std::min(own.size(), options.neighbours);
      std::ranges::nth_element(own, own.begin() + static_cast<std::ptrdiff_t>(kept), says_more);
      own.resize(kept);
      own.shrink_to_fit();
      std::ranges::sort(own, is_nearer);
    }
  });
  math::Ragged<Neighbour> of;
  for (size_t item = 0; item < users_of.size(); ++item) {
    if (column_of[item] == kNone)
      of.close();
    else
      of.push(std::span<const Neighbour>(near[column_of[item]]));
  }
  return of;
}

}  // namespace

std::vector<uint32_t> latest_items(std::span<const uint32_t> history, size_t most) {
  std::vector<uint32_t> items(history.begin(), history.end());
  if (items.size() > most) {  // the last of each item's rows counts
    std::vector<std::pair<uint32_t, size_t>> at;
    for (size_t i = 0; i < items.size(); ++i) at.emplace_back(items[i], i);
    std::ranges::sort(at);
    std::vector<std::pair<size_t, uint32_t>> last;
    for (size_t i = 0; i < at.size(); ++i)
      if (i + 1 == at.size() || at[i + 1].first != at[i].first) last.emplace_back(at[i].second, at[i].first);
    std::ranges::sort(last, std::greater<>());
    last.resize(std::min(last.size(), most));
    items.clear();
    for (const auto& [position, item] : last) items.push_back(item);
  }
  std::ranges::sort(items);
  items.erase(std::unique(items.begin(), items.end()), items.end());
  return items;
}

NearestItems nearest_items(ThreadPool& pool, const math::Ragged<uint32_t>& histories, size_t items,
                           const NearestOptions& options) {
  NearestItems nearest;
  double pairs = 0;
  for (size_t user = 0; user < histories.size(); ++user) {
    const auto length = static_cast<double>(std::min(histories[user].size(), options.longest_history));
    nearest.users += length > 0;
    pairs += length * length;
  }
  const double share = pairs > options.most_pairs ? options.most_pairs / pairs : 1;
  math::Ragged<uint32_t> lists;  // of the users that are learnt from
  for (size_t user = 0; user < histories.size(); ++user) {
    if (histories[user].empty()) continue;
    if (share < 1 && Rng(options.seed, Stream::baselines, user).uniform() >= share) continue;
    lists.push(latest_items(histories[user], options.longest_history));
  }
  nearest.sampled_users = lists.size();
  const auto users_of = inverted(lists, items);
  if (options.similarity == Similarity::ease) {
    nearest.of = ease(pool, lists, users_of, options);
    return nearest;
  }

  // Task t takes every n-th item from t on: the items that many users had, mostly the first, are spread over all.
  const size_t tasks = std::clamp<size_t>(items / 64, 1, 64);
  std::vector<math::Ragged<Neighbour>> found(tasks);
  pool.run(tasks, [&](size_t task) {
    Sums sums(items);
    for (size_t item = task; item < items; item += tasks) {
      auto near = options.similarity == Similarity::swing
                      ? swing(static_cast<uint32_t>(item), lists, users_of, options, sums)
                      : cosine(static_cast<uint32_t>(item), lists, users_of, options, sums);
      const auto kept = static_cast<std::ptrdiff_t>(std::min(near.size(), options.neighbours));
      std::partial_sort(near.begin(), near.begin() + kept, near.end(), is_nearer);
      found[task].push(std::span<const Neighbour>(near.data(), static_cast<size_t>(kept)));
    }
  });
  for (size_t item = 0; item < items; ++item) nearest.of.push(std::as_const(found[item % tasks])[item / tasks]);
  return nearest;
}

}  // namespace pagoda::model
