#include "cli/whole_config.h"

#include "core/config.h"

namespace pagoda::cli {

void describe(OptionVisitor& fields, WholeConfig& config) {
  dataset::describe(fields, config.training);
  retrieval::describe(fields, config.serve);
}

void read_config(const std::string& path, const std::vector<std::string>& set, WholeConfig& config) {
  auto file = path.empty() ? Config() : Config::from_file(path);
  for (const auto& assignment : set) file.set(assignment);
  file.read([&](OptionVisitor& f) { describe(f, config); });
}

}  // namespace pagoda::cli
