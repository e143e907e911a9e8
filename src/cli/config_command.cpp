#include <cstdio>

#include "cli/commands.h"
#include "cli/whole_config.h"
#include "core/config.h"

namespace pagoda::cli {

// Without a config: the defaults, and one table of features a tower, so that every key is shown.
void run_config(const ConfigArgs& args) {
  WholeConfig config;
  if (args.config.empty()) {
    config.training.towers.user.features = {features::FeatureOptions{.column = "country"}};
    config.training.towers.item.features = {
        features::FeatureOptions{.column = "genres", .kind = features::FeatureKind::multi}};
  }
  read_config(args.config, args.set, config);
  std::fputs(to_toml([&](OptionVisitor& f) { describe(f, config); }, true).c_str(), stdout);
}

}  // namespace pagoda::cli
