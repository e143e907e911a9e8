// Baselines for a model: recommenders that need no training, judged on the same users by the same metrics.
//
//   towers             of a model with neighbours (model/neighbours.h): its towers alone
//   popularity         the items with the most training rows, for everyone
//   recent_popularity  the same for the newest tenth of the training rows: about as many rows as a test part has,
//                      enough to count in a log of any density, and from the time just before the test part
//   item_knn           items that the same users had (item_knn.h); the most popular items fill the rest of a list
//
// Ties in score are in order of popularity, ties in count in order of the catalogue.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "evaluate/evaluation.h"
#include "evaluate/item_knn.h"
#include "math/bootstrap.h"

namespace pagoda::evaluate {

using Intervals = PerMetric<std::vector<math::Interval>>;  // [K]

struct Baseline {
  std::string name;   // "towers", "popularity", "recent_popularity", "item_knn"
  std::string about;  // what it was made of, for people
  RankingReport report;
  Intervals intervals;    // of its metrics
  Intervals differences;  // of the model's metrics minus its own, over the same users
};

struct Baselines {
  static constexpr double kConfidence = 0.95;
  std::vector<Baseline> judged;
  std::vector<std::pair<std::string, std::string>> left_out;  // name, and why
};

// The newest tenth of some rows.
struct RecentRows {
  std::vector<uint32_t> counts;  // per item
  uint64_t rows = 0;
  int64_t first_us = 0, last_us = 0;  // their times
};
// Of rows of `items` at `times_us`, parallel. Nothing if all rows have the same time.
std::optional<RecentRows> newest_tenth(std::span<const uint32_t> items, std::span<const int64_t> times_us,
                                       size_t catalogue);

struct BaselineInput {
  const model::UserStates* states;  // as the model knows them
  EvaluationInput judged;
  std::vector<int64_t> ks;
  const ItemPopularity* popularity;  // of the training rows
  std::optional<RecentRows> recent;  // of the training rows
  std::string why_no_recent;
  const math::Ragged<uint32_t>* histories;  // what item-kNN learns from: a list a user
  const UserMetrics* model;                 // of each judged user, in their order; null: no intervals either
  ItemKnnOptions knn;
  MakeLists towers = {};    // empty: the model has no neighbours
  double most_work = 2e10;  // additions to scores over all judged users; above it item-kNN is left out
};
Baselines judge_baselines(ThreadPool& pool, const BaselineInput& input);

// Popularity alone, for users without a history.
RankingReport rank_by_popularity(ThreadPool& pool, const model::UserStates& states, const EvaluationInput& judged,
                                 const std::vector<int64_t>& ks, const ItemPopularity& popularity);

// Intervals of the means over users; with `less`, of the means of the differences, user by user. More than 5,000 users
// are first averaged in groups of equal size, which keeps the width of the intervals.
Intervals bootstrap_intervals(ThreadPool& pool, const UserMetrics& metrics, const UserMetrics* less = nullptr);

// Names the baselines that the model does not clearly beat by this metric at the k-th length; "" if none.
std::string doubts_about(const RankingReport& model, const Baselines& baselines, std::string_view metric, size_t k);

}  // namespace pagoda::evaluate
