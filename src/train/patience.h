// Chooses an epoch, and decides when training stops, from metrics that vary by chance if users are few.
//
// Two epochs differ clearly if the difference of their means exceeds its standard error, taken user by user. Of the
// epochs that do not differ clearly from the best one, the middle one is chosen: the best of several equals is the
// luckiest, and the middle is away from both too few and too many epochs (a model whose weights are kept is that of the
// best). docs/train.md has the figures.
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

// Whether the mean of `values` lies below that of `best`, of the same users, by more than `errors` times the standard
// error of the difference. Equal lengths; false for fewer than two users.
bool clearly_below(std::span<const float> values, std::span<const float> best, double errors = 1);

// The first epoch of the greatest value; `epochs` are in order, at least one.
size_t best_of(std::span<const EvaluatedEpoch> epochs);
// Those that are not clearly below the best, rising.
std::vector<size_t> ties_of(std::span<const EvaluatedEpoch> epochs);
// The middle one of the ties; of two middle ones, the later.
size_t middle_of(std::span<const size_t> ties);

// Whether to stop after the last of the epochs: `patience` evaluations have brought nothing better, and the last one is
// clearly below the best. If it is not clearly below, that may be chance among few users, and training waits longer:
// three times as long for 333 users or fewer, 1,000 / users times as long up to 1,000 users, and no longer for more.
bool runs_out(std::span<const EvaluatedEpoch> epochs, uint64_t patience);

// Whether a training that competes with an earlier one has lost: its last evaluation is below that of the other after
// as many epochs (below its best one, where the other ended before), and half of its `planned` epochs are over, or a
// fifth of them where it is below by three standard errors.
bool has_lost(std::span<const EvaluatedEpoch> epochs, std::span<const EvaluatedEpoch> other, uint64_t planned);

}  // namespace pagoda::train
