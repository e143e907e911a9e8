#include <cmath>
#include <limits>

#include "core/error.h"
#include "core/rng.h"
#include "sampling/negatives.h"
#include "sampling/substreams.h"

namespace pagoda::sampling {

namespace {

constexpr int64_t kDefaultCount = 1024;

class Uniform final : public NegativeSource {
 public:
  Uniform(const NegativesOptions& options, const SamplingContext& context)
      : count_(options, kDefaultCount), all_(context.catalogue_items),
        items_(context.existing_items ? *context.existing_items : all_), counts_(context.training_counts) {
    check(all_ >= 1, "uniform negatives have a catalogue to draw from");
    if (options.items == DrawnItems::all) return;
    check(counts_.size() == all_, "what is clicked is known by its count");
    for (uint32_t item = 0; item < all_; ++item)
      if (counts_[item] > 0) clicked_.push_back(item);
    check(!clicked_.empty(), "a training part has rows");
  }
  double draws(const SamplingStep& step) const override { return static_cast<double>(count_.at(step.progress)); }
  double log_density(uint32_t item) const override {
    if (!clicked_.empty())
      return item < all_ && counts_[item] > 0 ? -std::log(static_cast<double>(clicked_.size()))
                                              : -std::numeric_limits<double>::infinity();
    return item < items_ ? -std::log(static_cast<double>(items_)) : -std::numeric_limits<double>::infinity();
  }
  void draw(const SamplingStep& step, std::vector<uint32_t>& columns) const override {
    Rng rng(step.seed, Stream::negatives, step.step, substream::kUniform);
    for (int64_t k = count_.at(step.progress); k > 0; --k)
      columns.push_back(clicked_.empty() ? static_cast<uint32_t>(rng.below(items_))
                                         : clicked_[rng.below(clicked_.size())]);
  }

 private:
  CountSchedule count_;
  const uint32_t all_, &items_;  // of the catalogue; of those that exist
  std::span<const uint64_t> counts_;
  std::vector<uint32_t> clicked_;  // empty: all items are drawn
};

}  // namespace

std::unique_ptr<NegativeSource> make_uniform(const NegativesOptions& options, const SamplingContext& context) {
  return std::make_unique<Uniform>(options, context);
}

}  // namespace pagoda::sampling
