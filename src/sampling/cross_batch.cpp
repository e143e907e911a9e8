#include "core/error.h"
#include "sampling/negatives.h"

namespace pagoda::sampling {

namespace {

class CrossBatch final : public NegativeSource {
 public:
  CrossBatch(const NegativesOptions& options, const SamplingContext& context)
      : memory_(*context.memory), frequency_(*context.frequency),
        active_(options, static_cast<int64_t>(context.memory->capacity()), kOwnStart) {}
  // Stale vectors mislead while vectors still move fast, so the source starts after a tenth of the training.
  static constexpr double kOwnStart = 0.1;
  bool uses_stored_density() const override { return true; }
  const CrossBatchMemory* memory() const override { return &memory_; }
  double draws(const SamplingStep& step) const override {
    return active_.at(step.progress) > 0 ? static_cast<double>(memory_.size()) : 0.0;
  }
  void draw(const SamplingStep& step, std::vector<uint32_t>& columns) const override {
    if (draws(step) > 0) columns.insert(columns.end(), memory_.items().begin(), memory_.items().end());
  }
  double log_density(uint32_t item) const override { return frequency_.log_probability(item); }

 private:
  const CrossBatchMemory& memory_;
  const Frequency& frequency_;
  CountSchedule active_;
};

}  // namespace

std::unique_ptr<NegativeSource> make_cross_batch(const NegativesOptions& options, const SamplingContext& context) {
  check(context.memory != nullptr && context.frequency != nullptr,
        "cross-batch negatives have a memory and a frequency");
  if (options.final_count >= 0)
    fail(ErrorKind::usage, "sampling.negatives: source 'cross_batch' has a fixed count; remove final_count");
  if (static_cast<int64_t>(context.memory->capacity()) < context.batch_rows)
    fail(ErrorKind::usage,
         "sampling.negatives: source 'cross_batch' has count = {}, less than one batch of {}; make it several batches",
         context.memory->capacity(), context.batch_rows);
  if (context.frequency->clock() == FrequencyClock::step)
    fail(ErrorKind::usage,
         "sampling.negatives: source 'cross_batch' counts draws; set sampling.frequency.clock = \"example\"");
  return std::make_unique<CrossBatch>(options, context);
}

}  // namespace pagoda::sampling
