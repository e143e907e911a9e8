// A config file with all its sections: those of training, [serve] and [stream]. Every reader knows all keys, and
// ignores the sections that it does not need.
#pragma once

#include <string>
#include <vector>

#include "core/config.h"
#include "dataset/options.h"
#include "retrieval/options.h"
#include "train/stream_options.h"

namespace pagoda::train {

struct WholeConfig {
  dataset::Options training;
  retrieval::ServeOptions serve;
  StreamOptions stream;
};
void describe(OptionVisitor& fields, WholeConfig& config);

// Applies the file ("" for none) and then the assignments a.b=v to `config`. Paths in the file are relative to its
// folder, those of assignments to the current one. A path that does not exist relative to the file, but does in the
// current folder, is taken from there, as in version 0.1, with a warning. Error{usage}.
void read_config(const std::string& path, const std::vector<std::string>& set, WholeConfig& config);

// Rewrites the paths of `config`, which are relative to the current folder, to be relative to the folder of `file`.
void write_paths_beside(const std::string& file, WholeConfig& config);

// Applies all sections but [serve] and [stream], whose keys and values are checked, to `training`. Error{usage}.
void read_training(const Config& config, dataset::Options& training);

}  // namespace pagoda::train
