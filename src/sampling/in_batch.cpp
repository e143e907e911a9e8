#include "core/error.h"
#include "sampling/negatives.h"

namespace pagoda::sampling {

namespace {

class InBatch final : public NegativeSource {
 public:
  explicit InBatch(const SamplingContext& context) : frequency_(context.frequency) {
    check(frequency_ != nullptr, "in-batch negatives know the frequency of the positives");
  }
  bool uses_stored_density() const override { return true; }
  // With clock = step, p already is the count of a whole batch, saturated at 1. A batch shorter than the others (the
  // last of an epoch) counts by its own size.
  double draws(const SamplingStep& step) const override {
    return frequency_->clock() == FrequencyClock::step ? 1.0 : static_cast<double>(step.positives.size());
  }
  double log_density(uint32_t item) const override { return frequency_->log_probability(item); }

 private:
  const Frequency* frequency_;
};

}  // namespace

std::unique_ptr<NegativeSource> make_in_batch(const SamplingContext& context) {
  return std::make_unique<InBatch>(context);
}

}  // namespace pagoda::sampling
