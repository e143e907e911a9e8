#include <cstdio>

#include "cli/commands.h"
#include "core/config.h"
#include "train/whole_config.h"

namespace pagoda::cli {

// The config to show if none is given: the defaults with one table of each list, so that every key appears.
void run_config(const ConfigArgs& args) {
  train::WholeConfig config;
  if (args.config.empty()) {
    config.training.data.events = {data::EventOptions{.name = "view", .role = data::EventRole::history}};
    config.training.towers.user.features = {features::FeatureOptions{.column = "country"}};
    config.training.towers.item.features = {
        features::FeatureOptions{.column = "genres", .kind = features::FeatureKind::multi}};
  }
  read_config(args.config, args.set, config);
  std::fputs(to_toml([&](OptionVisitor& f) { describe(f, config); }, true).c_str(), stdout);
}

}  // namespace pagoda::cli
