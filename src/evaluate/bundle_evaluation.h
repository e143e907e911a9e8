// A bundle judged by interactions it has not seen.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "evaluate/baselines.h"
#include "evaluate/diagnostics.h"
#include "evaluate/evaluation.h"
#include "evaluate/judged_requests.h"
#include "evaluate/user_table.h"

namespace pagoda::evaluate {

// Users with their true items, as the bundle numbers them.
struct TestUsers {
  std::vector<std::string> ids;
  std::vector<uint32_t> users;    // row in the bundle, kNone: the bundle does not know the user
  math::Ragged<uint32_t> items;   // catalogue rows, rising, each once
  std::vector<uint32_t> outside;  // items that the catalogue does not have
  JudgedRequests requests;        // their first rows as requests
  std::string fingerprint;        // of the rows: fingerprint_of_rows()
  // The data of the test part; empty if the rows came from other files. Borrowed if the caller has loaded it.
  std::shared_ptr<const dataset::Dataset> data;
};

// The test part of the data that the bundle was trained on (read and split again), or all rows of `files`.
// Error{usage}: the bundle has learnt from that part, or from all rows of `files`; warns if it has learnt from some of
// them.
TestUsers test_users(const model::Bundle& bundle, const dataset::Options& options,
                     const std::vector<std::string>& files);
TestUsers test_users(const model::Bundle& bundle,
                     const dataset::Dataset& data);  // the test part of data that is loaded already

// When each item of the catalogue was born (kNoTime: unknown), and the source of this: the column that a feature of the
// item tower reads as its age; else the item's first row before the test part, if `data` is given and has times; else
// nothing.
struct ItemFirstSeen {
  std::string source;  // the column's name, or "first seen"; "": every time is unknown
  std::vector<int64_t> time_us;
};
ItemFirstSeen item_first_seen(const model::Bundle& bundle, const dataset::Options& options,
                              const dataset::Dataset* data);

// Exact search, whatever index the bundle serves from.
struct BundleEvaluation {
  RankingReport known;          // users the bundle has a history of
  RankingReport unknown_users;  // the others, answered as unknown users
  ItemFirstSeen first_seen;     // for by_item_age of both, at the latest time the bundle has seen
  double mean_cosine_items = 0, mean_cosine_users = 0;  // of the catalogue; of the known users judged
  std::optional<TrainingDiagnostics> training;          // if the data that the bundle was trained on is given
  Intervals intervals;                                  // of the known users' metrics; empty without baselines
  Baselines baselines;                                  // on the known users
  UserTable users;                                      // a row per user of the test part, in its order; if asked for
  double seconds = 0;                                   // for user vectors, search and metrics; not for files, health
  std::string json;                                     // INTERFACE: `evaluate --json`
};
struct BundleEvaluationOptions {
  std::vector<int64_t> ks;
  dataset::Repeats repeats = dataset::Repeats::miss;
  dataset::JudgedContext context = dataset::JudgedContext::last;
  // With `second`, the cascade of the two is judged: the second reranks the first's best rescore_from.
  const model::Bundle* second = nullptr;
  size_t rescore_from = 0;
  bool baselines = true;    // judge baselines, and compute intervals
  bool user_table = false;  // fill BundleEvaluation::users
};
// Error{usage}: one of ks is greater than rescore_from. `known_users` receives the metrics of each known user, in the
// order of `test`. Warns if nobody, or only a part of the rows, can be judged, and if a baseline is as good as the
// model.
BundleEvaluation evaluate_bundle(ThreadPool& pool, const model::Bundle& bundle, const TestUsers& test,
                                 const BundleEvaluationOptions& how, UserMetrics* known_users = nullptr);

// The options that a bundle was trained with, overridden by the assignments `set`.
dataset::Options bundle_options(const model::Bundle& bundle, const std::vector<std::string>& set);

}  // namespace pagoda::evaluate
