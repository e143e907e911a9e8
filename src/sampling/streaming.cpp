#include <algorithm>
#include <cmath>
#include <cstddef>
#include <type_traits>

#include "core/error.h"
#include "core/rng.h"
#include "sampling/frequency.h"

namespace pagoda::sampling {

namespace {

// An open gap replaces B once it is this many times as long (see frequency.h).
constexpr double kPatience = 4;
// An owner loses its bucket after one more sight of other items than it has votes, and it has at most so many (see
// frequency.h).
constexpr uint16_t kMaxVotes = 3;
constexpr uint16_t kMaxGaps = (1 << 14) - 1;

// Written to files as it is in memory; so it has no bit-fields, whose layout the compiler chooses.
struct Bucket {
  uint64_t last = 0;   // A; 0: never
  float gap = 0;       // B
  uint16_t owner = 0;  // tag of the item that the bucket is about
  // Bits 0 to 13: how many gaps B has seen, at most kMaxGaps; bits 14 and 15: votes for the owner.
  uint16_t counted = 0;

  uint16_t gaps() const { return counted & kMaxGaps; }
  uint16_t votes() const { return static_cast<uint16_t>(counted >> 14); }
  void add_a_gap() { counted = static_cast<uint16_t>(counted + (gaps() < kMaxGaps)); }
  void set_votes(int votes) { counted = static_cast<uint16_t>(gaps() | votes << 14); }
};
static_assert(sizeof(Bucket) == 16 && std::is_trivially_copyable_v<Bucket> && offsetof(Bucket, gap) == 8 &&
              offsetof(Bucket, owner) == 12 && offsetof(Bucket, counted) == 14);

class Streaming final : public Frequency {
 public:
  Streaming(const FrequencyOptions& options, uint64_t seed)
      : options_(options), size_(static_cast<size_t>(options.buckets)), hashes_(static_cast<size_t>(options.hashes)) {
    buckets_.assign(size_ * hashes_, {.gap = static_cast<float>(options.initial_gap)});
    Rng rng(seed, Stream::hash);
    for (size_t k = 0; k < hashes_; ++k) keys_.push_back(rng());
  }

  void observe(std::span<const uint32_t> items) override {
    if (options_.clock == FrequencyClock::step) ++tick_;
    for (const uint32_t item : items) {
      if (options_.clock == FrequencyClock::example) ++tick_;
      for (size_t k = 0; k < hashes_; ++k) {
        const uint64_t hash = mix64(item ^ keys_[k]);
        Bucket& bucket = buckets_[place(k, hash)];
        if (bucket.last == tick_) continue;  // once per tick: a second gap would be 0
        if (as_printed())
          add_gap(bucket);
        else
          see(bucket, tag_of(hash));
      }
    }
  }

  double log_probability(uint32_t item) const override {
    const Bucket* own = nullptr;  // the bucket of the item that has the most gaps
    double longest = 0, variance = 0;
    const auto read = [&](const Bucket& bucket) {
      const bool no_gap = !as_printed() && bucket.gaps() == 0;
      const double mean = no_gap ? static_cast<double>(tick_) : bucket.gap;
      const double open = no_gap || as_printed() ? 0 : static_cast<double>(tick_ - bucket.last) / kPatience;
      if (std::max(mean, open) <= longest) return;
      longest = std::max(mean, open);
      variance = no_gap || open > mean ? 0 : relative_variance(bucket.gaps());  // only a mean of gaps has that bias
    };
    for (size_t k = 0; k < hashes_; ++k) {
      const uint64_t hash = mix64(item ^ keys_[k]);
      const Bucket& bucket = buckets_[place(k, hash)];
      const bool is_own = !as_printed() && bucket.last > 0 && bucket.owner == tag_of(hash);
      if (is_own && (!own || bucket.gaps() > own->gaps())) own = &bucket;
      if (!own) read(bucket);
    }
    if (own) {
      longest = 0;
      read(*own);
    }
    const double p = 1 / std::max(longest, 1.0);
    return options_.bias_correction ? std::log(p) - std::log1p(variance * (1 - p)) : std::log(p);
  }

  FrequencyClock clock() const override { return options_.clock; }

  void save(ByteWriter& out) const override {
    out.text("streaming");
    out.value<uint64_t>(hashes_);
    out.value<uint64_t>(size_);
    out.value(tick_);
    out.array(keys_);
    out.array(buckets_);
  }

  void load(ByteReader& in) override {
    const auto kind = in.text();
    if (kind != "streaming")
      fail(ErrorKind::failed, "frequency: the saved state is of kind '{}', the config says streaming; set it back",
           kind);
    const auto hashes = in.value<uint64_t>(), size = in.value<uint64_t>();
    if (hashes != hashes_ || size != size_)
      fail(ErrorKind::failed,
           "frequency: the saved state has {} hashes of {} buckets, the config says {} of {}; set them back", hashes,
           size, hashes_, size_);
    tick_ = in.value<uint64_t>();
    auto keys = in.array<uint64_t>();
    auto buckets = in.array<Bucket>();
    if (keys.size() != hashes_ || buckets.size() != hashes_ * size_)
      fail(ErrorKind::failed, "frequency: the saved state is damaged: its arrays are not of {} hashes of {} buckets",
           hashes_, size_);
    keys_ = std::move(keys);
    buckets_ = std::move(buckets);
  }

 private:
  bool as_printed() const { return options_.initial_gap > 0; }

  // The high bits of an item's hash choose its bucket; the low bits distinguish it from the others there.
  size_t place(size_t k, uint64_t hash) const {
    return k * size_ + static_cast<size_t>((static_cast<unsigned __int128>(hash) * size_) >> 64);
  }
  static uint16_t tag_of(uint64_t hash) { return static_cast<uint16_t>(hash); }

  void see(Bucket& bucket, uint16_t tag) {
    if (bucket.last > 0 && bucket.owner == tag) {
      if (bucket.votes() < kMaxVotes) bucket.set_votes(bucket.votes() + 1);
      add_gap(bucket);
    } else if (bucket.votes() > 0) {
      bucket.set_votes(bucket.votes() - 1);  // a sight of another item is not a gap of the owner
    } else {
      bucket = {.last = tick_, .owner = tag};
      bucket.set_votes(1);
    }
  }

  void add_gap(Bucket& bucket) {
    const auto gap = static_cast<double>(tick_ - bucket.last);
    bucket.last = tick_;
    bucket.add_a_gap();
    const double a = as_printed() ? options_.learning_rate : std::max(options_.learning_rate, 1.0 / bucket.gaps());
    bucket.gap = static_cast<float>((1 - a) * bucket.gap + a * gap);
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
  size_t size_, hashes_;         // buckets of a hash
  uint64_t tick_ = 0;            // the current tick; the first is 1
  std::vector<uint64_t> keys_;   // of the hashes
  std::vector<Bucket> buckets_;  // [hashes * size]
};

}  // namespace

std::unique_ptr<Frequency> make_streaming(const FrequencyOptions& options, uint64_t seed) {
  validate(options);
  return std::make_unique<Streaming>(options, seed);
}

}  // namespace pagoda::sampling
