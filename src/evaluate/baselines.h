// What a model is held against: recommenders that need no training, on the same users by the same metrics.
//
//   popularity         the items with the most training rows, for everyone
//   recent_popularity  the same of the newest tenth of the training rows: about as many as a test part has, so enough to
//                      count at any density of the log, and of the time that the test part follows
//   item_knn           items that the same users had (item_knn.h); where it has no more, the most popular follow
//
// Equal scores are in the order of popularity, equal counts in that of the catalogue.
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
  std::string name;   // "popularity", "recent_popularity", "item_knn"
  std::string about;  // what it was made of, for people
  RankingReport report;
  Intervals intervals;    // of its metrics
  Intervals differences;  // of the model's less its own, over the same users
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
// Of rows of `items` at `times_us`, parallel. Nothing: all rows are of one moment.
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
  double most_work = 2e10;  // additions to scores, of all judged users; above it item-kNN is left out
};
Baselines judge_baselines(ThreadPool& pool, const BaselineInput& input);

// Popularity alone, for users without a history.
RankingReport rank_by_popularity(ThreadPool& pool, const model::UserStates& states, const EvaluationInput& judged,
                                 const std::vector<int64_t>& ks, const ItemPopularity& popularity);

// Intervals of the users' means, of `less` subtracted user by user where it is there. Of more than 5,000 users they are
// those of means over groups of users of equal size, which are as wide.
Intervals bootstrap_intervals(ThreadPool& pool, const UserMetrics& metrics, const UserMetrics* less = nullptr);

// Which baselines the model does not clearly beat by this metric at the k-th length; "" of none.
std::string doubts_about(const RankingReport& model, const Baselines& baselines, std::string_view metric, size_t k);

}  // namespace pagoda::evaluate
