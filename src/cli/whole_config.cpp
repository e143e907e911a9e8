#include "cli/whole_config.h"

#include "core/config.h"

namespace pagoda {

void describe(Fields& fields, WholeConfig& config) {
  describe(fields, config.training);
  describe(fields, config.serve);
}

void read_config(const std::string& path, const std::vector<std::string>& set, WholeConfig& config) {
  auto file = path.empty() ? Config() : Config::from_file(path);
  for (const auto& assignment : set) file.set(assignment);
  file.read([&](Fields& f) { describe(f, config); });
}

}  // namespace pagoda
