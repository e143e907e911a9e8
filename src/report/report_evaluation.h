// The text of `evaluate --json`, as the report reads it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "report/tensorboard.h"

namespace pagoda::report {

// Items of like popularity. NaN: not said.
struct EvaluatedBucket {
  std::string name;
  double items, test_positives;
  double recall;           // NaN as well when nothing of the bucket was tested
  double train_positives;  // clicks in train: "train_positives" or "train_clicks"
  double recommended;      // places in the users' lists: "recommended@K", a count or a share
};

struct Evaluated {
  std::string split, chosen_on;
  std::string test_rows, repeats;                 // fingerprint of what it was judged by; "miss", "keep"; "": not said
  double users, items, seconds;                   // NaN: not said
  std::vector<NamedValue> metrics;                // "recall@20", ..., in the order of the text
  std::vector<NamedValue> health;                 // mean_cosine_items, ..., in the order of the text
  std::vector<NamedValue> lists;                  // what the lists look like: coverage@20, gini@20, ...
  std::vector<EvaluatedBucket> buckets;           // of the catalogue, from the hottest
  std::vector<EvaluatedBucket> deciles;           // of the train rows, from the hottest items
  std::vector<EvaluatedBucket> ages;              // of the catalogue, from the youngest
  std::string age_source;                         // what says an item's age: a column, "first seen"
  std::optional<EvaluatedBucket> never_in_train;  // some of the coldest bucket's items once more
  int bucket_k = 0;                               // of the recall of all buckets, the first said; 0: not said
  struct Activity {                               // users with so many clicks in train
    double shortest, longest, users, recall;
  };
  std::vector<Activity> by_activity;
  std::optional<bool> uses_order;

  double metric(std::string_view name) const;  // of metrics, then of lists; NaN: not there
};

// Unknown keys are passed over. Error{failed} naming `what` when it is no JSON object.
Evaluated parse_evaluation(std::string_view json, std::string_view what);

// "ndcg@20" -> {"ndcg", 20}; without '@' or a number after it: {name, 0}.
std::pair<std::string, int> split_metric(std::string_view name);
// "hit_rate@20" -> "Hit rate@20", "ndcg@20" -> "NDCG@20".
std::string metric_label(std::string_view name);

}  // namespace pagoda::report
