#include <cmath>

#include "core/error.h"
#include "sampling/negatives.h"

namespace pagoda {

namespace {

class InBatch final : public NegativeSource {
 public:
  explicit InBatch(const NegativeWorld& world) : frequency_(world.frequency) {
    check(frequency_ != nullptr, "in-batch negatives know the frequency of the positives");
    check(world.batch_rows >= 1, "in-batch negatives know the size of the batch");
    // On the clock of steps p already is the count of a whole batch, saturated at 1.
    log_draws_ = frequency_->clock() == FrequencyClock::step ? 0.0 : std::log(static_cast<double>(world.batch_rows));
  }
  std::string_view name() const override { return "in_batch"; }
  void draw(uint64_t, uint64_t, std::vector<uint32_t>&) const override {}
  double log_expected_count(uint32_t item) const override { return log_draws_ + frequency_->log_probability(item); }

 private:
  const Frequency* frequency_;
  double log_draws_ = 0;
};

}  // namespace

std::unique_ptr<NegativeSource> make_in_batch(const NegativeWorld& world) { return std::make_unique<InBatch>(world); }

}  // namespace pagoda
