#include "train/patience.h"

#include <algorithm>
#include <cmath>

#include "core/error.h"

namespace pagoda::train {

std::vector<float> sample_of_users(std::span<const double> values) {
  constexpr size_t kMost = 20000;
  const size_t stride = std::max<size_t>(1, (values.size() + kMost - 1) / kMost);
  std::vector<float> sample;
  for (size_t user = 0; user < values.size(); user += stride) sample.push_back(static_cast<float>(values[user]));
  return sample;
}

bool clearly_below(std::span<const float> values, std::span<const float> best, double errors) {
  const size_t n = values.size();
  if (n < 2 || best.size() != n) return false;
  double sum = 0, squares = 0;
  for (size_t user = 0; user < n; ++user) {
    const double lost = static_cast<double>(best[user]) - static_cast<double>(values[user]);
    sum += lost;
    squares += lost * lost;
  }
  const auto users = static_cast<double>(n);
  const double mean = sum / users, variance = std::max(0.0, squares - users * mean * mean) / (users - 1);
  return mean > errors * std::sqrt(variance / users);
}

size_t best_of(std::span<const EvaluatedEpoch> epochs) {
  check(!epochs.empty(), "an epoch was evaluated");
  size_t best = 0;
  for (size_t e = 1; e < epochs.size(); ++e)
    if (epochs[e].value > epochs[best].value) best = e;
  return best;
}

std::vector<size_t> ties_of(std::span<const EvaluatedEpoch> epochs) {
  const size_t best = best_of(epochs);
  std::vector<size_t> ties;
  for (size_t e = 0; e < epochs.size(); ++e)
    if (e == best || (epochs[best].users.size() > 1 && epochs[e].users.size() == epochs[best].users.size() &&
                      !clearly_below(epochs[e].users, epochs[best].users)))
      ties.push_back(e);
  return ties;
}

size_t middle_of(std::span<const size_t> ties) { return ties[ties.size() / 2]; }

bool runs_out(std::span<const EvaluatedEpoch> epochs, uint64_t patience) {
  const size_t best = best_of(epochs), since = epochs.size() - 1 - best;
  if (since < patience) return false;
  const auto users = static_cast<double>(epochs[best].users.size());
  const double longer = std::clamp(1000.0 / std::max(1.0, users), 1.0, 3.0);
  return clearly_below(epochs.back().users, epochs[best].users) ||
         static_cast<double>(since) >= longer * static_cast<double>(patience);
}

bool has_lost(std::span<const EvaluatedEpoch> epochs, std::span<const EvaluatedEpoch> other, uint64_t planned) {
  const auto& last = epochs.back();
  const auto same = std::ranges::find(other, last.epoch, &EvaluatedEpoch::epoch);
  const auto& rival = same == other.end() ? other[best_of(other)] : *same;
  if (5 * last.epoch >= planned && clearly_below(last.users, rival.users, 3)) return true;
  return 2 * last.epoch >= planned && last.value < rival.value;
}

}  // namespace pagoda::train
