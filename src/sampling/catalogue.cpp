#include <cmath>
#include <limits>
#include <numeric>

#include "core/error.h"
#include "sampling/negatives.h"

namespace pagoda::sampling {

namespace {

class Catalogue final : public NegativeSource {
 public:
  explicit Catalogue(uint32_t items) : items_(items) {}
  double draws(const SamplingStep&) const override { return static_cast<double>(items_); }
  void draw(const SamplingStep&, std::vector<uint32_t>& columns) const override {
    const size_t before = columns.size();
    columns.resize(before + items_);
    std::iota(columns.begin() + static_cast<ptrdiff_t>(before), columns.end(), 0u);
  }
  double log_density(uint32_t item) const override {
    return item < items_ ? -std::log(static_cast<double>(items_)) : -std::numeric_limits<double>::infinity();
  }

 private:
  uint32_t items_;
};

}  // namespace

std::unique_ptr<NegativeSource> make_catalogue(const SamplingContext& context) {
  return std::make_unique<Catalogue>(context.catalogue_items);
}

std::vector<double> catalogue_log_multiplicity(double power, const SamplingContext& context) {
  check(context.training_counts.size() == context.catalogue_items, "a weighted catalogue knows each item's count");
  constexpr double kFloor = 0.5;
  double total = 0;
  for (const uint64_t count : context.training_counts) total += static_cast<double>(count) + kFloor;
  const double log_mean = std::log(total / static_cast<double>(context.catalogue_items));
  std::vector<double> result;
  result.reserve(context.catalogue_items);
  for (const uint64_t count : context.training_counts)
    result.push_back(power * (std::log(static_cast<double>(count) + kFloor) - log_mean));
  return result;
}

}  // namespace pagoda::sampling
