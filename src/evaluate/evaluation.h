// Exact ranking over the full catalogue.
#pragma once

#include <vector>

#include "dataset/dataset.h"
#include "dataset/fit.h"
#include "evaluate/metric_name.h"
#include "evaluate/ranking.h"
#include "index/index.h"
#include "model/bundle.h"

namespace pagoda {

// What is known of the users after `events`; context of each user's latest one.
UserStates user_states(const Dataset& data, const Events& events, int64_t moment_us);

// Whether the order of a user's list matters to a model trained so: recency weights, a history cut at the last k or
// taken from what was before the target.
bool uses_order(const Options& options, const UserStates& states);

// Lists for users [users.size()] (rows of `states`, or kNone) judged against `relevant` items, parallel to them. Items of
// a user's own history are not recommended, but where repeats are kept. `kept`: takes each user's metrics, in order.
struct Judged {
  std::span<const uint32_t> users;
  const Ragged<uint32_t>* relevant;
  std::span<const uint32_t> relevant_outside;
  Repeats repeats = Repeats::miss;
};
RankingReport rank_users(ThreadPool& pool, const Index& index, MatrixView<const float> user_vectors,
                         const UserStates& states, const Judged& judged, const std::vector<int64_t>& ks,
                         const ItemPopularity& popularity, const ItemGroups* ages = nullptr,
                         UserMetrics* kept = nullptr);

// Metrics of a model in training on the validation part: for each evaluate.k and the k of `choose_by`.
using NamedMetrics = std::vector<std::pair<std::string, double>>;
NamedMetrics validation_metrics(ThreadPool& pool, const Dataset& data, const Fit& fit,
                                MatrixView<const float> item_vectors, const Relevant& relevant, const Options& options,
                                const std::string& choose_by);

}  // namespace pagoda
