#include <algorithm>
#include <cmath>
#include <limits>

#include "core/error.h"
#include "core/rng.h"
#include "sampling/negatives.h"
#include "sampling/substreams.h"

namespace pagoda::sampling {

namespace {

constexpr int64_t kDefaultCount = 16;  // for each row
constexpr double kDefaultTail = 0.8;   // of the items

// Draws uniformly over the whole tail; the user's own items are dropped (see NegativeSource::draw_row). A user who has
// every item of the tail gets none, and learns from the other sources alone.
class ColdPerUser final : public NegativeSource {
 public:
  ColdPerUser(const NegativesOptions& options, const SamplingContext& context)
      : count_(options, kDefaultCount), in_tail_(context.catalogue_items) {
    const auto order = items_by_popularity(context);
    const double share = options.share.value_or(kDefaultTail);
    const auto n = static_cast<size_t>(std::max(1.0, std::round(share * static_cast<double>(order.size()))));
    tail_.assign(order.end() - static_cast<ptrdiff_t>(n), order.end());
    std::ranges::sort(tail_);
    for (const uint32_t item : tail_) in_tail_[item] = true;
    log_density_ = -std::log(static_cast<double>(n));
  }
  bool per_row() const override { return true; }
  double draws(const SamplingStep& step) const override { return static_cast<double>(count_.at(step.progress)); }
  double log_density(uint32_t item) const override {
    return item < in_tail_.size() && in_tail_[item] ? log_density_ : -std::numeric_limits<double>::infinity();
  }
  void draw_row(const SamplingStep& step, size_t row, std::vector<uint32_t>& items) const override {
    Rng rng(step.seed, Stream::negatives, step.step, substream::kCold + row);
    for (int64_t k = count_.at(step.progress); k > 0; --k) items.push_back(tail_[rng.below(tail_.size())]);
  }

 private:
  CountSchedule count_;
  std::vector<uint32_t> tail_;
  std::vector<bool> in_tail_;
  double log_density_ = 0;
};

}  // namespace

std::unique_ptr<NegativeSource> make_cold_per_user(const NegativesOptions& options, const SamplingContext& context) {
  return std::make_unique<ColdPerUser>(options, context);
}

}  // namespace pagoda::sampling
