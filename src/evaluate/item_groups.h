// Groups of the catalogue's items that are judged separately: by popularity, by age.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace pagoda::evaluate {

// Every item is in one group, or in none.
struct ItemGroups {
  static constexpr uint8_t kNone = 255;
  std::vector<std::string> names;
  std::vector<uint8_t> of_item;  // per item row
};

// The train counts of the catalogue, and the groups derived from them. Immutable: shared by all accumulators.
class ItemPopularity {
 public:
  explicit ItemPopularity(std::vector<uint32_t> train_counts);  // of each item row
  size_t items() const { return counts_.size(); }
  uint32_t count(uint32_t row) const { return counts_[row]; }
  std::span<const uint32_t> counts() const { return counts_; }
  // Outside the top 20% of the items by train count.
  bool in_long_tail(uint32_t row) const { return long_tail_[row]; }

  // The items from the most popular, ties by row: "top 1%", "1-5%", "5-20%", "20-50%", "bottom 50%" of them. Bounds are
  // rounded up, so that no top group is empty.
  const ItemGroups& buckets() const { return buckets_; }
  // Tenths of the train ROWS, from "1" (the few hottest items) to "10" (most of the catalogue). Each has about the same
  // number of rows to learn from and to be tested with, unlike tenths of the items. An item belongs to the tenth in
  // which the middle of its rows lies; an item without rows belongs to none.
  const ItemGroups& deciles() const { return deciles_; }
  const ItemGroups& unseen() const { return unseen_; }  // one group: the items without a train row

 private:
  std::vector<uint32_t> counts_;
  std::vector<uint8_t> long_tail_;
  ItemGroups buckets_, deciles_, unseen_;
};

// By age at `moment_us`, from the youngest: "not born yet" (born after the moment), "under 7 d", "7-30 d", "30-180 d",
// "180-730 d", "over 730 d", "unknown" (kNoTime). An age on a bound is in the older group. Groups without items are
// left out.
ItemGroups items_by_age(std::span<const int64_t> born_us, int64_t moment_us);

}  // namespace pagoda::evaluate
