// Which epoch is chosen and when training stops, where the figures of few users move by chance.
//
// Two epochs are told apart where the difference of their means exceeds its standard error, taken user by user. Of the
// epochs that cannot be told from the best one, the middle one is chosen: the best of several equals is the luckiest, and
// the middle lies away from too few epochs and from too many. docs/train.md has the figures.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace pagoda::train {

// An evaluation on the validation part.
struct EvaluatedEpoch {
  uint64_t epoch = 0;        // epochs trained
  double value = 0;          // of the metric that chooses
  std::vector<float> users;  // each user's value, or that of a sample of them
};

// Every n-th value, so that at most 20,000 are kept.
std::vector<float> sample_of_users(std::span<const double> values);

// Whether the mean of `values` lies below that of `best`, of the same users, by more than the standard error of the
// difference. Equal lengths; false for fewer than two users.
bool clearly_below(std::span<const float> values, std::span<const float> best);

// The epochs in order, at least one: the first of the greatest value.
size_t best_of(std::span<const EvaluatedEpoch> epochs);
// Those that are not clearly below the best, rising.
std::vector<size_t> ties_of(std::span<const EvaluatedEpoch> epochs);
// The middle one of them, the later of two.
size_t middle_of(std::span<const size_t> ties);

// Whether to stop behind the last of the epochs: `patience` evaluations have brought nothing better, and the last is
// clearly below the best. Where it is not, that may be chance among few users: of 333 or fewer it waits three times as
// long, of 1,000 or more no longer, in between for 1,000 / users times as long.
bool runs_out(std::span<const EvaluatedEpoch> epochs, uint64_t patience);

}  // namespace pagoda::train
