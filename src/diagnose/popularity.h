// The distribution of clicks over the items of a catalogue.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

namespace pagoda::diagnose {

// A group of items with the same number of clicks. The figures of this room need no more.
struct CountGroup {
  uint64_t count;  // clicks on each
  uint64_t items;
};

// Immutable. "Hottest first" orders items by falling clicks.
class Popularity {
 public:
  explicit Popularity(std::span<const uint64_t> counts);  // clicks on each item of the catalogue, including zeros

  uint64_t items() const { return items_; }
  uint64_t clicks() const { return clicks_; }
  uint64_t items_below(uint64_t count) const;  // items with fewer clicks
  uint64_t clicked_items() const { return items_ - items_below(1); }
  uint64_t median_of_clicked() const;                // clicks on the median of the items with any
  uint64_t head(double part) const;                  // number of items in the top `part`, rounded up
  uint64_t clicks_of_hottest(uint64_t items) const;  // clicks on the `items` hottest
  double head_share(double part) const;              // share of the clicks on the top `part` of the items
  double gini() const;                               // over all items: 0: even; near 1: all clicks on one item
  double effective_items() const;                    // 1 / sum q^2, where q is an item's share of the clicks
  const std::vector<CountGroup>& groups() const { return groups_; }  // hottest first

  // The mean of value(count) over the items [first, last), hottest first; 0 if there are none.
  template <class Value>
  double mean(uint64_t first, uint64_t last, const Value& value) const {
    double sum = 0;
    uint64_t at = 0;
    for (const auto& g : groups_) {
      const uint64_t begin = std::max(at, first), end = std::min(at + g.items, last);
      if (begin < end) sum += static_cast<double>(end - begin) * value(g.count);
      at += g.items;
    }
    return last > first ? sum / static_cast<double>(last - first) : 0;
  }
  // The sum of value(count) over all items.
  template <class Value>
  double sum(const Value& value) const {
    double sum = 0;
    for (const auto& g : groups_) sum += static_cast<double>(g.items) * value(g.count);
    return sum;
  }

 private:
  std::vector<CountGroup> groups_;
  uint64_t items_ = 0, clicks_ = 0;
};

}  // namespace pagoda::diagnose
