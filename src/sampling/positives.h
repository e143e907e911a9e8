// Downsampling of hot positives.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace pagoda::sampling {

// word2vec's rule, as recommenders use it: a positive on an item whose share of the training rows is z is kept with
//   P_keep = min(1, (sqrt(z / t) + 1) t / z)
// A positive that is not kept does not exist in that epoch: neither for the loss nor for the frequency estimator, nor
// as an in-batch negative. Immutable; any number of threads may call it.
class PositiveDownsampling {
 public:
  PositiveDownsampling() = default;  // keeps everything
  // threshold: t; 0 keeps everything. counts: rows of the training part on each item.
  PositiveDownsampling(double threshold, std::span<const uint64_t> counts, uint64_t seed);
  bool active() const { return !keep_.empty(); }
  double probability(uint32_t item) const { return active() ? keep_[item] : 1.0; }
  // Depends on (seed, epoch, event) alone; `item` is the event's.
  bool kept(uint64_t epoch, uint64_t event, uint32_t item) const;
  // The expected counts of what is kept, from which exact frequencies must be made.
  std::vector<uint64_t> kept_counts(std::span<const uint64_t> counts) const;

 private:
  std::vector<double> keep_;  // per item
  uint64_t seed_ = 0;
};

}  // namespace pagoda::sampling
