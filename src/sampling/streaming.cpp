#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "core/rng.h"
#include "sampling/frequency.h"

namespace pagoda {

namespace {

// An open gap speaks against B once it is this many times as long (see frequency.h).
constexpr double kPatience = 4;

class Streaming final : public Frequency {
 public:
  Streaming(const FrequencyOptions& options, uint64_t seed)
      : options_(options), buckets_(static_cast<size_t>(options.buckets)),
        hashes_(static_cast<size_t>(options.hashes)) {
    last_.assign(buckets_ * hashes_, 0);
    gap_.assign(buckets_ * hashes_, static_cast<float>(options.initial_gap));
    gaps_.assign(buckets_ * hashes_, 0);
    Rng rng(seed, Stream::hash);
    for (size_t k = 0; k < hashes_; ++k) keys_.push_back(rng());
  }

  void observe(std::span<const uint32_t> items) override {
    if (options_.clock == FrequencyClock::step) ++tick_;
    for (const uint32_t item : items) {
      if (options_.clock == FrequencyClock::example) ++tick_;
      for (size_t k = 0; k < hashes_; ++k) see(bucket(k, item));
    }
  }

  double log_probability(uint32_t item) const override {
    // Collisions shorten gaps: the longest gap is the least biased.
    double longest = 0, variance = 0;
    for (size_t k = 0; k < hashes_; ++k) {
      const size_t at = bucket(k, item);
      const bool no_gap = !as_printed() && gaps_[at] == 0;
      const double mean = no_gap ? static_cast<double>(tick_) : gap_[at];
      const double open = no_gap || as_printed() ? 0 : static_cast<double>(tick_ - last_[at]) / kPatience;
      if (std::max(mean, open) <= longest) continue;
      longest = std::max(mean, open);
      variance = no_gap || open > mean ? 0 : relative_variance(gaps_[at]);  // only a mean of gaps has that bias
    }
    const double p = 1 / std::max(longest, 1.0);
    return options_.bias_correction ? std::log(p) - std::log1p(variance * (1 - p)) : std::log(p);
  }

  FrequencyClock clock() const override { return options_.clock; }

  void save(ByteWriter& out) const override {
    out.text("streaming");
    out.value<uint64_t>(hashes_);
    out.value<uint64_t>(buckets_);
    out.value(tick_);
    out.array(keys_);
    out.array(last_);
    out.array(gap_);
    out.array(gaps_);
  }

  void load(ByteReader& in) override {
    const auto kind = in.text();
    if (kind != "streaming")
      fail(ErrorKind::failed, "frequency: the saved state is of kind '{}', the config says streaming; set it back",
           kind);
    const auto hashes = in.value<uint64_t>(), buckets = in.value<uint64_t>();
    if (hashes != hashes_ || buckets != buckets_)
      fail(ErrorKind::failed,
           "frequency: the saved state has {} hashes of {} buckets, the config says {} of {}; set them back", hashes,
           buckets, hashes_, buckets_);
    tick_ = in.value<uint64_t>();
    auto keys = in.array<uint64_t>();
    auto last = in.array<uint64_t>();
    auto gap = in.array<float>();
    auto gaps = in.array<uint32_t>();
    const size_t n = hashes_ * buckets_;
    if (keys.size() != hashes_ || last.size() != n || gap.size() != n || gaps.size() != n)
      fail(ErrorKind::failed, "frequency: the saved state is damaged: its arrays are not of {} hashes of {} buckets",
           hashes_, buckets_);
    keys_ = std::move(keys), last_ = std::move(last), gap_ = std::move(gap), gaps_ = std::move(gaps);
  }

 private:
  bool as_printed() const { return options_.initial_gap > 0; }

  size_t bucket(size_t k, uint32_t item) const {
    const auto spread = static_cast<unsigned __int128>(mix64(item ^ keys_[k])) * buckets_;
    return k * buckets_ + static_cast<size_t>(spread >> 64);
  }

  void see(size_t at) {
    uint64_t& last = last_[at];
    if (last == tick_) return;  // once a tick: a second gap would be 0
    const bool first_sight = last == 0;
    const auto gap = static_cast<double>(tick_ - last);
    last = tick_;
    if (first_sight && !as_printed()) return;
    if (gaps_[at] != UINT32_MAX) ++gaps_[at];
    const double a = as_printed() ? options_.learning_rate : std::max(options_.learning_rate, 1.0 / gaps_[at]);
    gap_[at] = static_cast<float>((1 - a) * gap_[at] + a * gap);
  }

  // Var(B) / Var(gap) after n gaps: the sum of their squared weights. 1/n for the plain mean of the first n0 = 1/a
  // gaps, then v <- (1 - a)^2 v + a^2, towards a / (2 - a).
  double relative_variance(uint32_t n) const {
    const double a = options_.learning_rate, settled = a / (2 - a);
    if (as_printed()) return settled;
    const double n0 = std::floor(1 / a);
    if (n <= n0) return 1.0 / n;
    return settled + std::pow((1 - a) * (1 - a), n - n0) * (1 / n0 - settled);
  }

  FrequencyOptions options_;
  size_t buckets_, hashes_;
  uint64_t tick_ = 0;           // the current tick; the first is 1, so that last_ = 0 is "never"
  std::vector<uint64_t> keys_;  // of the hashes
  std::vector<uint64_t> last_;  // A, [hashes * buckets]
  std::vector<float> gap_;      // B
  std::vector<uint32_t> gaps_;  // how many gaps B has seen
};

}  // namespace

std::unique_ptr<Frequency> make_streaming(const FrequencyOptions& options, uint64_t seed) {
  validate(options);
  return std::make_unique<Streaming>(options, seed);
}

}  // namespace pagoda
