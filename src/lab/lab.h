// Runs a lab: trains each variant with each seed and evaluates it. Work that was done before is kept.
#pragma once

#include <atomic>
#include <optional>
#include <string>
#include <vector>

#include "lab/plan.h"
#include "lab/result.h"

namespace pagoda::lab {

// A tuned value and its result on validation, with the first seed.
struct TriedValue {
  std::string label;
  KeyValues settings;
  std::string metric = {};  // train.choose_by, with a K that can tell models apart
  double value = 0;         // of the metric
  double epochs = 0;
};

struct VariantRuns {
  dataset::Options options;       // with the tuned values and the first seed
  std::vector<TriedValue> tried;  // empty: nothing was tuned
  size_t chosen = 0;              // index into `tried`
  std::vector<RunResult> runs;    // one per seed
};

// Trains and evaluates what the folder does not hold yet, in the order of the plan. The result is parallel to
// plan.variants. Files: NAME-SEED.pagoda and its run folder, as `train` writes them (removed after the evaluation if
// keep_models is false), those of result.h, and tune/NAME-LABEL.json. A run whose config has changed is repeated; a
// killed run continues from its checkpoint. Error{interrupted} if `interrupted` was set: a checkpoint is kept.
std::vector<VariantRuns> run_lab(ThreadPool& pool, const Plan& plan, const std::string& folder,
                                 const std::atomic<bool>& interrupted);

// The path of a run's bundle without its extension.
std::string run_stem(const std::string& folder, const Variant& variant, int64_t seed);

}  // namespace pagoda::lab
