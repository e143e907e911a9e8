// How clicks fall on the items of a catalogue.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

namespace pagoda::diagnose {

// Items that have the same number of clicks: all that the figures of this room need to know of them.
struct CountGroup {
  uint64_t count;  // clicks on each
  uint64_t items;
};

// Immutable. "Hottest first" orders items by falling clicks.
class Popularity {
 public:
  explicit Popularity(std::span<const uint64_t> counts);  // clicks on each item of the catalogue, zeros included

  uint64_t items() const { return items_; }
  uint64_t clicks() const { return clicks_; }
  uint64_t items_below(uint64_t count) const;  // with fewer clicks than that
  uint64_t clicked_items() const { return items_ - items_below(1); }
  uint64_t median_of_clicked() const;                // clicks on the middle one of the items with any
  uint64_t head(double part) const;                  // so many items are the top `part`, rounded up
  uint64_t clicks_of_hottest(uint64_t items) const;  // on the first so many
  double head_share(double part) const;              // of the clicks, on the top `part` of the items
  double gini() const;                               // over all items: 0 is even, near 1 is all on one
  double effective_items() const;                    // 1 / sum q^2, q the share of the clicks of an item
  const std::vector<CountGroup>& groups() const { return groups_; }  // hottest first

  // The mean of value(count) over the items [first, last), hottest first; 0 when there are none.
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
