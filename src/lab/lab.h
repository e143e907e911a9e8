// The runs of a lab: each variant trained with each seed and judged, whatever was done before left as it is.
#pragma once

#include <atomic>
#include <optional>
#include <string>
#include <vector>

#include "lab/plan.h"
#include "lab/result.h"

namespace pagoda::lab {

// A value that was tried: how it did on validation, with the first seed.
struct TriedValue {
  std::string label;
  KeyValues settings;
  std::string metric = {};  // train.choose_by, with a K that can tell
  double value = 0;         // of it
  double epochs = 0;
};

struct VariantRuns {
  dataset::Options options;       // with the tuned values, of the first seed
  std::vector<TriedValue> tried;  // empty: nothing was tuned
  size_t chosen = 0;              // of tried
  std::vector<RunResult> runs;    // one a seed
};

// Trains and judges what the folder does not hold yet, in the order of the plan; parallel to plan.variants. Files:
// NAME-SEED.pagoda and its run folder, as `train` writes them (removed after the judgement when keep_models is false), what
// result.h says, and tune/NAME-LABEL.json. A run whose config has changed is made anew; one that was killed goes on from
// its checkpoint. Error{interrupted} when `interrupted` was set: a checkpoint is kept.
std::vector<VariantRuns> run_lab(ThreadPool& pool, const Plan& plan, const std::string& folder,
                                 const std::atomic<bool>& interrupted);

// The path of a run's bundle without its extension.
std::string run_stem(const std::string& folder, const Variant& variant, int64_t seed);

}  // namespace pagoda::lab
