// The runs of a lab side by side: means over seeds, differences to the baseline with their intervals, who wins at what.
// Private to this room: it brings in the JSON library.
#pragma once

#include <nlohmann/json.hpp>

#include "lab/lab.h"

namespace pagoda::lab {

using Json = nlohmann::ordered_json;

// One object in the shape of `values`: each number their mean, null where none is finite; what is no number as it is
// where all agree, else left out (in a list: null). Lists of different lengths are left out.
Json mean_of(const std::vector<Json>& values);
// The same with sample standard deviations; null where there are fewer than two numbers.
Json spread_of(const std::vector<Json>& values);

// A metric of one variant.
struct Compared {
  std::string name;
  std::vector<double> seeds = {};   // one a seed
  double mean = NAN, spread = NAN;  // over seeds; the second the sample standard deviation
  double difference = NAN;          // to the baseline, mean over users and seeds
  Interval interval{NAN, NAN};      // of the difference, over users
};

struct VariantSummary {
  Json mean, spread;              // of `evaluate --json`
  Json truth, truth_spread;       // of truth_json; null without a truth
  std::vector<Compared> metrics;  // LabOptions.metrics
  std::vector<Compared> truths;   // recall, never_shown_recall and intrusion at 100, never_shown_rank
  double tail_recall = NAN;       // at Summary::k: hits / test positives outside the most popular fifth of the items
  double cold_recall = NAN;       // of items without a training row
};

// Who is best at one thing.
struct Goal {
  std::string name;
  std::string winner;  // "" when nothing was measured
  std::string words;   // a sentence or two with the numbers
};

struct Summary {
  int64_t k = 0;            // of the first recall among the metrics
  std::string goal_metric;  // "recall@k"
  uint64_t users = 0, truth_users = 0;
  std::vector<VariantSummary> variants;  // parallel to plan.variants
  std::vector<Goal> goals;
};

Summary summarise(ThreadPool& pool, const Plan& plan, const std::vector<VariantRuns>& runs);

// The number at object[key], NaN when there is none.
double number_at(const Json& object, const std::string& key);
// "+0.0100 [+0.0071, +0.0129]"; "" where there is no difference.
std::string difference_text(const Compared& compared);
// "0.1600 ±0.0009"; without the spread for one seed.
std::string mean_text(double mean, double spread);

// What the folder gets, and stdout. The page's name is that of the lab file.
std::string lab_json(const Plan& plan, const std::vector<VariantRuns>& runs, const Summary& summary);
std::string lab_page(const Plan& plan, const std::vector<VariantRuns>& runs, const Summary& summary);
std::string lab_table(const Plan& plan, const std::vector<VariantRuns>& runs, const Summary& summary);

}  // namespace pagoda::lab
