// Training from code, as `pagoda train -c CONFIG -o OUTPUT` does it.
#pragma once

#include <pagoda/error.h>
#include <pagoda/export.h>

#include <atomic>
#include <string>
#include <vector>

namespace pagoda {

struct TrainOptions {
  std::vector<std::string> set{};  // "train.epochs=5" over the config, as --set
  bool resume = false;             // go on from the checkpoint in OUTPUT.run, if there is one, to the same bits
  // Borrowed; looked at after every step. When it becomes true a checkpoint is kept and Error{interrupted} thrown.
  const std::atomic<bool>* interrupt = nullptr;
};

// Trains by a config, a file as `pagoda init` writes it, and writes the bundle whole or not at all. Paths in the config
// count from the working directory. The same config and data give the same bits.
// Blocks until it has ended. Several threads may train at once, to different outputs. Error{usage}: the config;
// Error{input}: the data; Error{failed}: the disk; Error{interrupted}.
PAGODA_EXPORT void train_model(const std::string& config, const std::string& output, const TrainOptions& options = {});
// The same with the config as TOML; `name` stands for it in messages.
PAGODA_EXPORT void train_model_from_text(const std::string& toml, const std::string& output,
                                         const TrainOptions& options = {}, const std::string& name = "config");

}  // namespace pagoda
