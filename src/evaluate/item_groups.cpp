#include "evaluate/item_groups.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "features/feature.h"

namespace pagoda::evaluate {

ItemPopularity::ItemPopularity(std::vector<uint32_t> train_counts)
    : counts_(std::move(train_counts)), long_tail_(counts_.size()) {
  const size_t n = counts_.size();
  buckets_ = {{"top 1%", "1-5%", "5-20%", "20-50%", "bottom 50%"}, std::vector<uint8_t>(n)};
  deciles_ = {{"1", "2", "3", "4", "5", "6", "7", "8", "9", "10"}, std::vector<uint8_t>(n, ItemGroups::kNone)};
  unseen_ = {{"no train positives"}, std::vector<uint8_t>(n, ItemGroups::kNone)};

  std::vector<uint32_t> order(n);
  std::iota(order.begin(), order.end(), 0u);
  std::stable_sort(order.begin(), order.end(), [&](uint32_t a, uint32_t b) { return counts_[a] > counts_[b]; });
  const auto share = [&](size_t percent) { return (n * percent + 99) / 100; };  // rounded up
  const uint64_t total = std::accumulate(counts_.begin(), counts_.end(), uint64_t{0});
  uint64_t before = 0;
  for (size_t i = 0; i < n; ++i) {
    const uint32_t item = order[i];
    const uint64_t count = counts_[item];
    buckets_.of_item[item] =
        static_cast<uint8_t>((i >= share(1)) + (i >= share(5)) + (i >= share(20)) + (i >= share(50)));
    long_tail_[item] = i >= share(20);
    if (count > 0)
      deciles_.of_item[item] =
          static_cast<uint8_t>((2 * before + count) * 5 / total);  // 10 (before + count / 2) / total
    else
      unseen_.of_item[item] = 0;
    before += count;
  }
}

ItemGroups items_by_age(std::span<const int64_t> born_us, int64_t moment_us) {
  constexpr double kDay = 86'400e6;
  constexpr double kBounds[] = {0, 7, 30, 180, 730};  // days
  constexpr uint8_t kUnknown = 6;
  const std::vector<std::string> names{"not born yet", "under 7 d",  "7-30 d", "30-180 d",
                                       "180-730 d",    "over 730 d", "unknown"};
  ItemGroups groups;
  std::vector<uint64_t> items(names.size());
  for (const int64_t born : born_us) {
    const double age = (static_cast<double>(moment_us) - static_cast<double>(born)) / kDay;  // no int64 can overflow
    const auto group = static_cast<uint8_t>(std::upper_bound(std::begin(kBounds), std::end(kBounds), age) - kBounds);
    groups.of_item.push_back(born == features::kNoTime ? kUnknown : group);
    ++items[groups.of_item.back()];
  }
  std::vector<uint8_t> kept(names.size());
  for (size_t g = 0; g < names.size(); ++g) {
    if (items[g] == 0) continue;
    kept[g] = static_cast<uint8_t>(groups.names.size());
    groups.names.push_back(names[g]);
  }
  for (uint8_t& group : groups.of_item) group = kept[group];
  return groups;
}

}  // namespace pagoda::evaluate
