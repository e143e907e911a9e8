// popularity: the catalogue by count^power. hot: the head of it alone.
#include <cmath>
#include <limits>

#include "core/error.h"
#include "core/rng.h"
#include "sampling/alias_table.h"
#include "sampling/negatives.h"
#include "sampling/substreams.h"

namespace pagoda::sampling {

namespace {

constexpr int64_t kDefaultCount = 1024;
constexpr double kDefaultPower = 0.75;  // word2vec's
constexpr double kDefaultHead = 0.2;    // of the items
constexpr double kNeverSeen = 0.5;      // the count of an item that training never saw

// q(item) = weights[item] / sum of weights.
class Weighted final : public NegativeSource {
 public:
  Weighted(CountSchedule count, std::span<const double> weights, uint64_t substream)
      : count_(count), table_(weights), substream_(substream) {
    double total = 0;
    for (const double weight : weights) total += weight;
    for (const double weight : weights) log_density_.push_back(std::log(weight / total));
  }
  double draws(const SamplingStep& step) const override { return static_cast<double>(count_.at(step.progress)); }
  double log_density(uint32_t item) const override {
    return item < log_density_.size() ? log_density_[item] : -std::numeric_limits<double>::infinity();
  }
  void draw(const SamplingStep& step, std::vector<uint32_t>& columns) const override {
    Rng rng(step.seed, Stream::negatives, step.step, substream_);
    for (int64_t k = count_.at(step.progress); k > 0; --k) columns.push_back(table_.draw(rng));
  }

 private:
  CountSchedule count_;
  AliasTable table_;
  std::vector<double> log_density_;
  uint64_t substream_;
};

double weight(uint64_t count, double power) {
  return std::pow(count == 0 ? kNeverSeen : static_cast<double>(count), power);
}

}  // namespace

std::unique_ptr<NegativeSource> make_popularity(const NegativesOptions& options, const SamplingContext& context) {
  check(context.training_counts.size() == context.catalogue_items, "popularity knows each item's count");
  std::vector<double> weights;
  for (const uint64_t count : context.training_counts)
    weights.push_back(weight(count, options.power.value_or(kDefaultPower)));
  return std::make_unique<Weighted>(CountSchedule(options, kDefaultCount), weights, substream::kPopularity);
}

std::unique_ptr<NegativeSource> make_hot(const NegativesOptions& options, const SamplingContext& context) {
  const auto order = items_by_popularity(context);
  const double share = options.share.value_or(kDefaultHead), power = options.power.value_or(kDefaultPower);
  const auto head = static_cast<size_t>(std::max(1.0, std::round(share * static_cast<double>(order.size()))));
  std::vector<double> weights(order.size(), 0.0);
  for (size_t k = 0; k < head; ++k) weights[order[k]] = weight(context.training_counts[order[k]], power);
  return std::make_unique<Weighted>(CountSchedule(options, kDefaultCount), weights, substream::kHot);
}

}  // namespace pagoda::sampling
