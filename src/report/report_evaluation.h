// Parses the text of `evaluate --json` for the report.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "report/tensorboard.h"

namespace pagoda::report {

// Items of similar popularity. NaN: the text does not say.
struct EvaluatedBucket {
  std::string name;
  double items, test_positives;
  double recall;           // also NaN if no item of the bucket was tested
  double train_positives;  // clicks in train: "train_positives" or "train_clicks"
  double recommended;      // places in the users' lists: "recommended@K", a count or a share
};

struct EvaluatedInterval {
  std::string metric;  // "recall@20"
  double low, high;    // NaN: not measured
};

// A recommender that needs no training, judged on the same users.
struct EvaluatedBaseline {
  std::string name, about;  // "item_knn"; what it was made of
  std::vector<NamedValue> metrics;
  std::vector<EvaluatedInterval> intervals;
  std::vector<EvaluatedInterval> differences;  // of the model's figures minus its own
  static const EvaluatedInterval* find(const std::vector<EvaluatedInterval>& of, std::string_view metric);
};

struct Evaluated {
  std::string split, chosen_on;
  std::string test_rows, repeats;                 // fingerprint of the test rows; "miss", "keep"; "": not given
  std::string context;                            // "last", "request"; "": not given
  double users, items, seconds;                   // NaN: not given
  std::vector<NamedValue> metrics;                // "recall@20", ..., in the order of the text
  std::vector<NamedValue> health;                 // mean_cosine_items, ..., in the order of the text
  std::vector<NamedValue> lists;                  // what the lists look like: coverage@20, gini@20, ...
  std::vector<EvaluatedBucket> buckets;           // of the catalogue, from the hottest
  std::vector<EvaluatedBucket> deciles;           // of the train rows, from the hottest items
  std::vector<EvaluatedBucket> ages;              // of the catalogue, from the youngest
  std::string age_source;                         // where an item's age comes from: a column, "first seen"
  std::optional<EvaluatedBucket> never_in_train;  // some of the coldest bucket's items once more
  int bucket_k = 0;                               // K of the recall of all buckets, the first given; 0: not given
  struct Activity {                               // users with so many clicks in train
    double shortest, longest, users, recall;
  };
  std::vector<Activity> by_activity;
  std::optional<bool> uses_order;
  std::vector<EvaluatedInterval> intervals;  // of the model's metrics
  std::vector<EvaluatedBaseline> baselines;  // empty: none were judged

  double metric(std::string_view name) const;  // from metrics, then from lists; NaN: not there
};

// Unknown keys are ignored. Error{failed} that names `what` if the text is not a JSON object.
Evaluated parse_evaluation(std::string_view json, std::string_view what);

// "ndcg@20" -> {"ndcg", 20}; without '@' or a number after it: {name, 0}.
std::pair<std::string, int> split_metric(std::string_view name);
// "hit_rate@20" -> "Hit rate@20", "ndcg@20" -> "NDCG@20".
std::string metric_label(std::string_view name);

}  // namespace pagoda::report
