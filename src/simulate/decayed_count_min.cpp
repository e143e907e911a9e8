#include "simulate/decayed_count_min.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "core/error.h"
#include "core/rng.h"

namespace pagoda::simulate {

namespace {

class DecayedCountMin final : public sampling::Frequency {
 public:
  DecayedCountMin(const DecayedCountMinOptions& options, uint64_t seed)
      : options_(options), columns_(static_cast<size_t>(options.columns)), growth_(std::exp2(1 / options.half_life)) {
    cells_.assign(static_cast<size_t>(options.rows) * columns_, 0);
    Rng rng(seed, Stream::hash);
    for (int64_t k = 0; k < options.rows; ++k) keys_.push_back(rng());
  }

  void observe(std::span<const uint32_t> items) override {
    for (const uint32_t item : items) {
      weight_ *= growth_;
      total_ += weight_;
      const double raised = least(item) + weight_;
      for (size_t k = 0; k < keys_.size(); ++k) {
        float& cell = cells_[cell_of(k, item)];
        cell = static_cast<float>(options_.conservative ? std::max<double>(cell, raised) : cell + weight_);
      }
      if (weight_ > kLargest) scale_back();
    }
  }

  double log_probability(uint32_t item) const override {
    return total_ == 0 ? 0 : std::log(std::max(least(item), weight_ / 2) / total_);
  }

  sampling::FrequencyClock clock() const override { return sampling::FrequencyClock::example; }
  void save(ByteWriter&) const override { check(false, "a sketch of an experiment is never saved"); }
  void load(ByteReader&) override { check(false, "a sketch of an experiment is never loaded"); }

 private:
  static constexpr double kLargest = 1e20;  // leaves a factor of 1e18 of a float's range for total / weight

  size_t cell_of(size_t k, uint32_t item) const {
    const auto spread = static_cast<unsigned __int128>(mix64(item ^ keys_[k])) * columns_;
    return k * columns_ + static_cast<size_t>(spread >> 64);
  }
  double least(uint32_t item) const {
    float least = std::numeric_limits<float>::infinity();
    for (size_t k = 0; k < keys_.size(); ++k) least = std::min(least, cells_[cell_of(k, item)]);
    return least;
  }
  void scale_back() {
    for (float& cell : cells_) cell = static_cast<float>(cell / weight_);
    total_ /= weight_;
    weight_ = 1;
  }

  DecayedCountMinOptions options_;
  size_t columns_;
  double growth_, weight_ = 1, total_ = 0;  // weight_: of the latest draw
  std::vector<uint64_t> keys_;
  std::vector<float> cells_;  // [rows * columns]
};

}  // namespace

std::unique_ptr<sampling::Frequency> make_decayed_count_min(const DecayedCountMinOptions& options, uint64_t seed) {
  if (!(options.half_life > 0))
    fail(ErrorKind::usage, "the count-min sketch's half-life is {}, expected a number of rows above 0",
         options.half_life);
  if (options.rows < 1 || options.rows > 16 || options.columns < 1)
    fail(ErrorKind::usage, "the count-min sketch has {} rows of {} cells, expected 1 to 16 rows of 1 cell or more",
         options.rows, options.columns);
  return std::make_unique<DecayedCountMin>(options, seed);
}

}  // namespace pagoda::simulate
