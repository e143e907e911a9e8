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
        items_(context.existing_items ? *context.existing_items : all_) {
    check(all_ >= 1, "uniform negatives have a catalogue to draw from");
  }
  double draws(const SamplingStep& step) const override { return static_cast<double>(count_.at(step.progress)); }
  double log_density(uint32_t item) const override {
    return item < items_ ? -std::log(static_cast<double>(items_)) : -std::numeric_limits<double>::infinity();
  }
  void draw(const SamplingStep& step, std::vector<uint32_t>& columns) const override {
    Rng rng(step.seed, Stream::negatives, step.step, substream::kUniform);
    for (int64_t k = count_.at(step.progress); k > 0; --k) columns.push_back(static_cast<uint32_t>(rng.below(items_)));
  }

 private:
  CountSchedule count_;
  const uint32_t all_, &items_;  // of the catalogue; of those that exist
};

}  // namespace

std::unique_ptr<NegativeSource> make_uniform(const NegativesOptions& options, const SamplingContext& context) {
  return std::make_unique<Uniform>(options, context);
}

}  // namespace pagoda::sampling
