#include <cstdio>

#include "cli/commands.h"
#include "core/config.h"
#include "train/options.h"

namespace pagoda {

// Without a config: the defaults, and one table of features a tower, so that every key is shown.
void run_config(const ConfigArgs& args) {
  Options options;
  if (args.config.empty()) {
    options.towers.user.features = {FeatureOptions{.column = "country"}};
    options.towers.item.features = {FeatureOptions{.column = "genres", .kind = FeatureKind::multi}};
  }
  auto config = args.config.empty() ? Config() : Config::from_file(args.config);
  for (const auto& assignment : args.set) config.set(assignment);
  config.read([&](Fields& f) { describe(f, options); });
  std::fputs(to_toml(options, true).c_str(), stdout);
}

}  // namespace pagoda
