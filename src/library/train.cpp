#include <pagoda/train.h>

#include "train/training.h"
#include "train/whole_config.h"

namespace pagoda {

namespace {

void train_by(const dataset::Options& training, const std::string& output, const TrainOptions& options) {
  const std::atomic<bool> never = false;
  train::train(training, output, {.resume = options.resume}, options.interrupt ? *options.interrupt : never);
}

}  // namespace

void train_model(const std::string& config, const std::string& output, const TrainOptions& options) {
  train::WholeConfig whole;
  train::read_config(config, options.set, whole);
  train_by(whole.training, output, options);
}

void train_model_from_text(const std::string& toml, const std::string& output, const TrainOptions& options,
                           const std::string& name) {
  auto config = Config::from_text(toml, name);
  for (const auto& assignment : options.set) config.set(assignment);
  dataset::Options training;
  train::read_training(config, training);
  train_by(training, output, options);
}

}  // namespace pagoda
