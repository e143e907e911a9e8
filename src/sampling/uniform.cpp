#include <cmath>
#include <limits>

#include "core/error.h"
#include "core/rng.h"
#include "sampling/negatives.h"

namespace pagoda {

namespace {

constexpr uint64_t kLane = 1;  // of Stream::negatives: each source that draws has its own

class Uniform final : public NegativeSource {
 public:
  Uniform(int64_t count, uint32_t items) : count_(count), items_(items) {
    check(items >= 1, "uniform negatives have a catalogue to draw from");
    log_expected_ = std::log(static_cast<double>(count)) - std::log(static_cast<double>(items));
  }
  std::string_view name() const override { return "uniform"; }
  void draw(uint64_t seed, uint64_t step, std::vector<uint32_t>& columns) const override {
    Rng rng(seed, Stream::negatives, step, kLane);
    for (int64_t k = 0; k < count_; ++k) columns.push_back(static_cast<uint32_t>(rng.below(items_)));
  }
  double log_expected_count(uint32_t item) const override {
    return item < items_ ? log_expected_ : -std::numeric_limits<double>::infinity();
  }

 private:
  int64_t count_;
  uint32_t items_;
  double log_expected_;
};

}  // namespace

std::unique_ptr<NegativeSource> make_uniform(int64_t count, uint32_t catalogue_items) {
  return std::make_unique<Uniform>(count, catalogue_items);
}

}  // namespace pagoda
