#include "evaluate/item_knn.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>
#include <utility>

#include "core/rng.h"

namespace pagoda::evaluate {

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

}  // namespace

double ItemKnn::bytes(size_t items, const ItemKnnOptions& options) {
  return 2.0 * static_cast<double>(sizeof(Neighbour)) * static_cast<double>(items) *
         static_cast<double>(std::min(options.neighbours, items));
}

std::vector<uint32_t> ItemKnn::latest(std::span<const uint32_t> history) const {
  std::vector<uint32_t> items(history.begin(), history.end());
  if (items.size() > options_.longest_history) {  // the last of each item's rows counts
    std::vector<std::pair<uint32_t, size_t>> at;
    for (size_t i = 0; i < items.size(); ++i) at.emplace_back(items[i], i);
    std::ranges::sort(at);
    std::vector<std::pair<size_t, uint32_t>> last;
    for (size_t i = 0; i < at.size(); ++i)
      if (i + 1 == at.size() || at[i + 1].first != at[i].first) last.emplace_back(at[i].second, at[i].first);
    std::ranges::sort(last, std::greater<>());
    last.resize(std::min(last.size(), options_.longest_history));
    items.clear();
    for (const auto& [position, item] : last) items.push_back(item);
  }
  std::ranges::sort(items);
  items.erase(std::unique(items.begin(), items.end()), items.end());
  return items;
}

ItemKnn::ItemKnn(ThreadPool& pool, const math::Ragged<uint32_t>& histories, size_t items, const ItemKnnOptions& options)
    : options_(options) {
  double pairs = 0;
  for (size_t user = 0; user < histories.size(); ++user) {
    const auto length = static_cast<double>(std::min(histories[user].size(), options.longest_history));
    users_ += length > 0;
    pairs += length * length;
  }
  const double share = pairs > options.most_pairs ? options.most_pairs / pairs : 1;
  math::Ragged<uint32_t> lists;  // of the users that are learnt from
  for (size_t user = 0; user < histories.size(); ++user) {
    if (histories[user].empty()) continue;
    if (share < 1 && Rng(options.seed, Stream::baselines, user).uniform() >= share) continue;
    lists.push(latest(histories[user]));
  }
  sampled_ = lists.size();
  const auto users_of = inverted(lists, items);

  // Task t takes every n-th item from t on: the items that many users had, mostly the first, are spread over all.
  const size_t tasks = std::clamp<size_t>(items / 64, 1, 64);
  std::vector<math::Ragged<Neighbour>> found(tasks);
  pool.run(tasks, [&](size_t task) {
    std::vector<uint32_t> together(items), touched;
    std::vector<Neighbour> near;
    for (size_t item = task; item < items; item += tasks) {
      const auto own = users_of[item];
      touched.clear();
      near.clear();
      for (const uint32_t user : own)
        for (const uint32_t other : std::as_const(lists)[user])
          if (together[other]++ == 0) touched.push_back(other);
      for (const uint32_t other : touched) {
        const auto both = static_cast<double>(std::exchange(together[other], 0));
        if (other == item) continue;
        const double length = std::sqrt(static_cast<double>(own.size()) * static_cast<double>(users_of[other].size()));
        near.emplace_back(other, static_cast<float>(both / (length + options.shrinkage)));
      }
      const auto kept = static_cast<std::ptrdiff_t>(std::min(near.size(), options.neighbours));
      std::partial_sort(near.begin(), near.begin() + kept, near.end(), [](const Neighbour& a, const Neighbour& b) {
        return a.second != b.second ? a.second > b.second : a.first < b.first;
      });
      found[task].push(std::span<const Neighbour>(near.data(), static_cast<size_t>(kept)));
    }
  });
  for (size_t item = 0; item < items; ++item) near_.push(std::as_const(found[item % tasks])[item / tasks]);

  counts_.offsets.assign(items + 1, 0);
  for (const auto& [other, similarity] : near_.values) ++counts_.offsets[other + 1];
  std::partial_sum(counts_.offsets.begin(), counts_.offsets.end(), counts_.offsets.begin());
  counts_.values.resize(near_.values.size());
  std::vector<uint64_t> next(counts_.offsets.begin(), counts_.offsets.end() - 1);
  for (uint32_t item = 0; item < items; ++item)
    for (const auto& [other, similarity] : std::as_const(near_)[item])
      counts_.values[next[other]++] = {item, similarity};
}

std::span<const std::pair<uint32_t, float>> ItemKnn::neighbours_of(uint32_t item) const { return near_[item]; }

void ItemKnn::add_scores(std::span<const uint32_t> history, std::vector<double>& scores,
                         std::vector<uint32_t>& touched) const {
  for (const uint32_t item : history)
    for (const auto& [candidate, similarity] : counts_[item]) {
      if (scores[candidate] == 0) touched.push_back(candidate);
      scores[candidate] += similarity;
    }
}

}  // namespace pagoda::evaluate
