// Trains one config and judges it on the validation part, in stretches: each goes on from where the one before stood,
// to the bits of a training that was never stopped, and to those of `pagoda train` with the same config.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "core/thread_pool.h"
#include "dataset/dataset.h"
#include "dataset/options.h"

namespace pagoda::tune {

// Where a training stands after a number of epochs.
struct Standing {
  double value = 0;  // the best of the choosing metric until then
  int64_t best_epoch = 0;
  bool stopped = false;  // by train.patience: more epochs would change nothing
  double seconds = 0;    // of training and judging, since its beginning
};

// What all trials share: the data, which only their validation part is judged by, and the folder of their states.
class TrialRunner {
 public:
  // Borrows everything. Error{usage}: nobody can be judged on the validation part.
  TrialRunner(ThreadPool& pool, const dataset::Dataset& data, const dataset::Options& base, std::string folder);

  const std::string& metric() const { return metric_; }  // train.choose_by, with a K that can tell models apart
  size_t users() const { return users_; }                // that are judged
  // Names a config and its seed; what changes no bit of a training is left out.
  std::string id(const dataset::Options& options) const;
  const std::string& data_identity() const { return data_; }
  std::string config_identity(const dataset::Options& options) const;

  // Trains until `epochs` epochs are done, from the state that an earlier call has left in the folder, or from the
  // beginning. Error{interrupted}: `stop` said so after a step; a later call goes on from there.
  Standing run(const dataset::Options& options, int64_t epochs, const std::function<bool()>& stop) const;

  // The metric of each user at the best epoch of a training, and which epoch that is. Empty: the folder does not have
  // it.
  std::vector<double> users_at_best(const dataset::Options& options, int64_t best_epoch) const;
  // Removes what goes on from an epoch, and keeps the figures of the users.
  void forget(const dataset::Options& options) const;

 private:
  std::string path(const dataset::Options& options, const char* what) const;

  ThreadPool& pool_;
  const dataset::Dataset& data_set_;
  std::string folder_, metric_, data_;
  dataset::Relevant relevant_;
  size_t users_ = 0;
  int64_t half_life_us_ = 0;  // of every trial: train.half_life is not searched
};

}  // namespace pagoda::tune
