// A whole training run: from files to a bundle.
#pragma once

#include <atomic>
#include <functional>
#include <string>

#include "dataset/dataset.h"
#include "dataset/options.h"
#include "report/run_log.h"

namespace pagoda::train {

struct RunFlags {
  bool resume = false;
  bool profile = false;  // a table of where the time went, to stderr
  // Takes each record of the run log once it is written, on the training's thread.
  std::function<void(const report::RunRecord&)> observe = {};
};

// Trains as the options say and writes the bundle to `output`; its run folder is `output`.run: checkpoint, metrics.jsonl,
// TensorBoard events, and with train.refit = "all" the model that was judged (evaluate/judged_model.h). With `resume` it goes on from the checkpoint there, if there is one, to the same bits as a run
// that was never stopped. `interrupted` is looked at after every step: when set, a checkpoint is kept and
// Error{interrupted} thrown.
void train(const dataset::Options& options, const std::string& output, RunFlags flags,
           const std::atomic<bool>& interrupted);
// The same on data that is loaded already, by the same options.data. With train.refit = "all" the data is taken apart
// once the model is judged: what is only lent is copied for that.
void train(const dataset::Options& options, dataset::Dataset&& data, const std::string& output, RunFlags flags,
           const std::atomic<bool>& interrupted);
void train(const dataset::Options& options, const dataset::Dataset& data, const std::string& output, RunFlags flags,
           const std::atomic<bool>& interrupted);

}  // namespace pagoda::train
