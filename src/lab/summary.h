// Summarises the runs of a lab: means over seeds, differences to the baseline with their intervals, and the best
// variant for each goal. Private to this room: it includes the JSON library.
#pragma once

#include <nlohmann/json.hpp>

#include "lab/lab.h"

namespace pagoda::lab {

using Json = nlohmann::ordered_json;

// One object with the shape of `values`: each number is their mean, or null if none is finite. A value that is not a
// number is kept if all agree, and otherwise left out (in a list: null). Lists of different lengths are left out.
Json mean_of(const std::vector<Json>& values);
// The same with sample standard deviations; null for fewer than two numbers.
Json spread_of(const std::vector<Json>& values);

// A metric of one variant.
struct Compared {
  std::string name;
  std::vector<double> seeds = {};     // one value per seed
  double mean = NAN, spread = NAN;    // over seeds; spread: the sample standard deviation
  double difference = NAN;            // to the baseline, mean over users and seeds
  math::Interval interval{NAN, NAN};  // of the difference, over users
};

struct VariantSummary {
  Json mean, spread;              // of `evaluate --json`
  Json truth, truth_spread;       // of truth_json; null without a truth
  std::vector<Compared> metrics;  // LabOptions.metrics
  std::vector<Compared> truths;   // recall, never_shown_recall and intrusion at 100, never_shown_rank
  double tail_recall = NAN;       // at Summary::k: hits / test positives outside the most popular fifth of the items
  double cold_recall = NAN;       // of items without a training row
};

// The best variant for one goal.
struct Goal {
  std::string name;
  std::string winner;  // "" if nothing was measured
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

// The number at object[key]; NaN if there is none.
double number_at(const Json& object, const std::string& key);
// "+0.0100 [+0.0071, +0.0129]"; "" if the difference was not measured.
std::string difference_text(const Compared& compared);
// "0.1600 ±0.0009"; without the spread for one seed.
std::string mean_text(double mean, double spread);

// The contents of lab.json, of report.html and of stdout. The page has the name of the lab file.
std::string lab_json(const Plan& plan, const std::vector<VariantRuns>& runs, const Summary& summary);
std::string lab_page(const Plan& plan, const std::vector<VariantRuns>& runs, const Summary& summary);
std::string lab_table(const Plan& plan, const std::vector<VariantRuns>& runs, const Summary& summary);

}  // namespace pagoda::lab
