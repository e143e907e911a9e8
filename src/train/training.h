// A whole training run: from files to a bundle.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>

#include "dataset/dataset.h"
#include "dataset/options.h"
#include "report/run_log.h"
#include "train/warm_start.h"

namespace pagoda::train {

struct RunFlags {
  bool resume = false;
  bool profile = false;  // a table of where the time went, to stderr
  // The model to go on from. Data that is loaded already was loaded with its earlier().
  std::shared_ptr<const WarmStart> from = {};
  // Receives each record of the run log after it is written, on the training thread.
  std::function<void(const report::RunRecord&)> observe = {};
};

// Trains as the options say and writes the bundle to `output`, and with train.keep_state its state (warm_start.h). The
// run folder is `output`.run: checkpoint,
// metrics.jsonl, TensorBoard events and, with train.refit = "all", the model that was judged (evaluate/judged_model.h).
// With `resume`, the run continues from the checkpoint there, if there is one, to the same bits as a run that was never
// stopped. `interrupted` is read after every step: when it is set, a checkpoint is saved and Error{interrupted} thrown.
void train(const dataset::Options& options, const std::string& output, RunFlags flags,
           const std::atomic<bool>& interrupted);
// The same with data that is already loaded, by the same options.data. With train.refit = "all", the last phase trains
// on a version of the data in which nothing is held out: owned data is turned into it, borrowed data is copied first.
void train(const dataset::Options& options, dataset::Dataset&& data, const std::string& output, RunFlags flags,
           const std::atomic<bool>& interrupted);
void train(const dataset::Options& options, const dataset::Dataset& data, const std::string& output, RunFlags flags,
           const std::atomic<bool>& interrupted);

}  // namespace pagoda::train
