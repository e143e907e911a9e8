// The bundle of a training that has come to its end.
#pragma once

#include <optional>
#include <string>

#include "core/thread_pool.h"
#include "dataset/options.h"
#include "dataset/training_context.h"

namespace pagoda::train {

// What is written. Borrows the first five.
struct TrainedModel {
  const dataset::Options& options;
  const dataset::Dataset& data;
  dataset::TrainingContext& fit;
  const dataset::Events& events;                              // that its users answer from
  const std::vector<dataset::EventHistory>& event_histories;  // likewise
  // What the training knows of itself: chosen_on, chosen_by, refit, all_rows, epochs, test_rows. The rest is filled in.
  model::BundleInfo info;
  std::string run_log, frequency;
  const model::Neighbours* neighbours = nullptr;    // nullptr: towers alone
  std::optional<model::JudgedInstead> judged = {};  // then metrics are that model's
  std::string metrics = {};
};

// Fits the vector of unknown users, in trained.fit, and writes the bundle.
void write_model(ThreadPool& pool, const std::string& path, TrainedModel trained);

}  // namespace pagoda::train
