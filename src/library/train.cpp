#include <pagoda/train.h>

#include "train/training.h"
#include "train/whole_config.h"

namespace pagoda {

namespace {

void train_by(Config config, const std::string& output, const TrainOptions& options) {
  for (const auto& assignment : options.set) config.set(assignment);
  dataset::Options training;
  train::read_training(config, training);
  const std::atomic<bool> never = false;
  train::train(training, output, {.resume = options.resume}, options.interrupt ? *options.interrupt : never);
}

}  // namespace

void train_model(const std::string& config, const std::string& output, const TrainOptions& options) {
  train_by(Config::from_file(config), output, options);
}

void train_model_from_text(const std::string& toml, const std::string& output, const TrainOptions& options,
                           const std::string& name) {
  train_by(Config::from_text(toml, name), output, options);
}

}  // namespace pagoda
