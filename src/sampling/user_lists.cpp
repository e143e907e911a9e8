// Sources that pick from a list that each user has: offline mined hard negatives, impressions without a click.
#include <limits>

#include "core/error.h"
#include "core/rng.h"
#include "sampling/negatives.h"
#include "sampling/substreams.h"

namespace pagoda::sampling {

namespace {

// A user without a list gets nothing. The density of such draws is not known, so they are uncorrected.
class FromUserLists final : public NegativeSource {
 public:
  FromUserLists(CountSchedule count, const ItemsOfUsers& lists, uint64_t substream)
      : count_(count), lists_(lists), substream_(substream) {}
  bool per_row() const override { return true; }
  bool has_known_density() const override { return false; }
  double draws(const SamplingStep& step) const override { return static_cast<double>(count_.at(step.progress)); }
  double log_density(uint32_t) const override { return -std::numeric_limits<double>::infinity(); }
  void draw_row(const SamplingStep& step, size_t row, std::vector<uint32_t>& items) const override {
    const uint32_t user = step.users[row];
    if (user >= lists_.size() || lists_[user].empty()) return;
    const auto list = lists_[user];
    Rng rng(step.seed, Stream::negatives, step.step, substream_ + row);
    for (int64_t k = count_.at(step.progress); k > 0; --k) items.push_back(list[rng.below(list.size())]);
  }

 private:
  CountSchedule count_;
  const ItemsOfUsers& lists_;
  uint64_t substream_;
};

// Online: the trainer finds the hardest ones between the towers and the loss, so there is nothing to draw here.
class MinedOnline final : public NegativeSource {
 public:
  explicit MinedOnline(CountSchedule count) : count_(count) {}
  bool per_row() const override { return true; }
  bool has_known_density() const override { return false; }
  double draws(const SamplingStep& step) const override { return static_cast<double>(count_.at(step.progress)); }
  double log_density(uint32_t) const override { return -std::numeric_limits<double>::infinity(); }

 private:
  CountSchedule count_;
};

}  // namespace

std::unique_ptr<NegativeSource> make_mined(const NegativesOptions& options, const SamplingContext& context) {
  constexpr int64_t kOwnOnline = 1, kOwnOffline = 4;
  if (options.mining == Mining::online)
    return std::make_unique<MinedOnline>(CountSchedule(options, kOwnOnline, kMinedStart));
  check(context.mined != nullptr, "offline mined negatives have lists, if empty ones");
  return std::make_unique<FromUserLists>(CountSchedule(options, kOwnOffline, kMinedStart), *context.mined,
                                         substream::kMined);
}

std::unique_ptr<NegativeSource> make_impressions(const NegativesOptions& options, const SamplingContext& context) {
  constexpr int64_t kDefaultCount = 4;
  if (context.impressions == nullptr)
    fail(ErrorKind::usage,
         "sampling.negatives: source 'impressions' has no data; name files in data.impressions, in data.clicked the "
         "column that says what was clicked, or a kind of role = \"negative\" in data.events that has rows");
  return std::make_unique<FromUserLists>(CountSchedule(options, kDefaultCount), *context.impressions,
                                         substream::kImpressions);
}

}  // namespace pagoda::sampling
