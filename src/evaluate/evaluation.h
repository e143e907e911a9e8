// Exact ranking over the full catalogue.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "dataset/dataset.h"
#include "dataset/training_context.h"
#include "evaluate/metric_name.h"
#include "evaluate/ranking.h"
#include "index/index.h"
#include "model/bundle.h"

namespace pagoda::evaluate {

// What is known of the users after `events` and the events of other kinds, with the context of each user's latest
// event. Copies the histories, 4 bytes a row: little beside the epoch, or the search for all users, that comes with
// each call.
model::UserStates user_states(const dataset::Dataset& data, const dataset::Events& events, int64_t moment_us,
                              const std::vector<dataset::EventHistory>& event_histories = {});

// Whether a model trained with these options depends on the order of a user's list: by recency weights, by a history
// cut to the last k items, or by one of what came before the target.
bool uses_order(const dataset::Options& options, const model::UserStates& states);

// Users [n] (rows of `states`, or kNone) and, parallel, the `relevant` items by which their lists are judged. Items of
// a user's own history are recommended only if repeats are kept. Below, `kept` receives each user's metrics, in order.
struct EvaluationInput {
  std::span<const uint32_t> users;
  const math::Ragged<uint32_t>* relevant;
  std::span<const uint32_t> relevant_outside;
  dataset::Repeats repeats = dataset::Repeats::miss;
  const model::Neighbours* neighbours = nullptr;  // what rank_users() adds to the scores of the index
};
// Makes the lists of users [begin, end) of the input: up to k items each, best first, scores parallel; `histories` are
// those of these users.
using MakeLists =
    std::function<index::SearchResult(size_t begin, size_t end, const math::Ragged<uint32_t>& histories, size_t k)>;
RankingReport rank_lists(const MakeLists& make_lists, const model::UserStates& states, const EvaluationInput& judged,
                         const std::vector<int64_t>& ks, const ItemPopularity& popularity,
                         const ItemGroups* ages = nullptr, UserMetrics* kept = nullptr);
// The lists of an index, by exact search; all of them are borrowed.
MakeLists lists_of_index(ThreadPool& pool, const index::Index& index, math::MatrixView<const float> user_vectors,
                         const EvaluationInput& judged);
RankingReport rank_users(ThreadPool& pool, const index::Index& index, math::MatrixView<const float> user_vectors,
                         const model::UserStates& states, const EvaluationInput& judged, const std::vector<int64_t>& ks,
                         const ItemPopularity& popularity, const ItemGroups* ages = nullptr,
                         UserMetrics* kept = nullptr);

using NamedMetrics = std::vector<std::pair<std::string, double>>;

// A model in training before the users of the validation part: encodes them once. Borrows all of its arguments but
// `choose_by`.
class Validation {
 public:
  Validation(ThreadPool& pool, const dataset::Dataset& data, const dataset::TrainingContext& fit,
             math::MatrixView<const float> item_vectors, const dataset::Relevant& relevant,
             const dataset::Options& options, const std::string& choose_by);
  // For each evaluate.k and for the k of `choose_by`. `users` receives each user's value of `choose_by`, in the order
  // of `relevant`.
  NamedMetrics metrics(const model::Neighbours* neighbours = nullptr, std::vector<double>* users = nullptr) const;
  // By how much the best k scores that the towers alone give to what is new to a user lie above all scores, on the mean
  // over users; 0: there are no users. Where zero lies among the scores says nothing: a softmax does not see it.
  double rise_of_best(size_t k) const;

 private:
  ThreadPool& pool_;
  MetricName choose_;
  std::string choose_by_;
  std::vector<int64_t> ks_;
  dataset::Repeats repeats_;
  model::UserStates states_;
  std::vector<uint32_t> users_, outside_;
  math::Ragged<uint32_t> items_;
  math::MatrixView<const float> item_vectors_;
  math::Matrix<float> vectors_;
  std::unique_ptr<index::Index> index_;
  ItemPopularity popularity_;
};

NamedMetrics validation_metrics(ThreadPool& pool, const dataset::Dataset& data, const dataset::TrainingContext& fit,
                                math::MatrixView<const float> item_vectors, const dataset::Relevant& relevant,
                                const dataset::Options& options, const std::string& choose_by,
                                std::vector<double>* users = nullptr);

}  // namespace pagoda::evaluate
