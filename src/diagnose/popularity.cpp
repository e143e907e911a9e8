#include "diagnose/popularity.h"

#include <cmath>
#include <functional>

#include "core/error.h"

namespace pagoda::diagnose {

Popularity::Popularity(std::span<const uint64_t> counts) {
  std::vector<uint64_t> falling(counts.begin(), counts.end());
  std::sort(falling.begin(), falling.end(), std::greater<>());
  for (const uint64_t count : falling) {
    if (groups_.empty() || groups_.back().count != count) groups_.push_back({count, 0});
    ++groups_.back().items;
    clicks_ += count;
  }
  items_ = falling.size();
  check(clicks_ > 0, "a catalogue with clicks");
}

uint64_t Popularity::items_below(uint64_t count) const {
  uint64_t items = 0;
  for (const auto& g : groups_)
    if (g.count < count) items += g.items;
  return items;
}

uint64_t Popularity::median_of_clicked() const {
  uint64_t before = (clicked_items() - 1) / 2;
  for (const auto& g : groups_) {
    if (before < g.items) return g.count;
    before -= g.items;
  }
  return 0;
}

uint64_t Popularity::head(double part) const {
  return std::min(items_, static_cast<uint64_t>(std::ceil(part * static_cast<double>(items_) - 1e-9)));
}

uint64_t Popularity::clicks_of_hottest(uint64_t items) const {
  uint64_t clicks = 0;
  for (const auto& g : groups_) {
    const uint64_t n = std::min(items, g.items);
    clicks += n * g.count;
    items -= n;
  }
  return clicks;
}

double Popularity::head_share(double part) const {
  return static_cast<double>(clicks_of_hottest(head(part))) / static_cast<double>(clicks_);
}

// With items in rising order and x_i clicks on the i-th of n: G = 2 sum_i i x_i / (n sum x) - (n + 1) / n.
double Popularity::gini() const {
  const auto n = static_cast<double>(items_);
  double weighted = 0;
  uint64_t below = 0;
  for (auto g = groups_.rbegin(); g != groups_.rend(); ++g) {
    // The ranks below + 1 ... below + items of one group add up to items (below + (items + 1) / 2).
    const auto k = static_cast<double>(g->items);
    weighted += static_cast<double>(g->count) * k * (static_cast<double>(below) + (k + 1) / 2);
    below += g->items;
  }
  return 2 * weighted / (n * static_cast<double>(clicks_)) - (n + 1) / n;
}

double Popularity::effective_items() const {
  const auto total = static_cast<double>(clicks_);
  return 1 / sum([&](uint64_t count) { return std::pow(static_cast<double>(count) / total, 2); });
}

}  // namespace pagoda::diagnose
