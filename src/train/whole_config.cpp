#include "train/whole_config.h"

namespace pagoda::train {

void describe(OptionVisitor& fields, WholeConfig& config) {
  dataset::describe(fields, config.training);
  retrieval::describe(fields, config.serve);
}

void read_config(const std::string& path, const std::vector<std::string>& set, WholeConfig& config) {
  auto file = path.empty() ? Config() : Config::from_file(path);
  for (const auto& assignment : set) file.set(assignment);
  file.read([&](OptionVisitor& fields) { describe(fields, config); });
}

void read_training(const Config& config, dataset::Options& training) {
  retrieval::ServeOptions serve;
  config.read([&](OptionVisitor& fields) {
    dataset::describe(fields, training);
    retrieval::describe(fields, serve);
  });
}

}  // namespace pagoda::train
