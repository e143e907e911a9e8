#include <algorithm>

#include "cli/commands.h"
#include "cli/whole_config.h"
#include "core/log.h"
#include "data/byte_sink.h"
#include "train/training.h"

namespace pagoda {

void run_train(const TrainArgs& args) {
  check_not_compressed(args.output, "a bundle");
  if (args.config.empty() && args.interactions.empty())
    fail(ErrorKind::usage,
         "say what to train on: -c pagoda.toml (`pagoda init` writes one), or --interactions FILE --user ... --item "
         "...");
  WholeConfig config;
  read_config(args.config, args.set, config);
  auto& options = config.training;
  auto& data = options.data;
  if (!args.interactions.empty()) data.interactions = args.interactions;
  for (auto [flag, key] : {std::pair(&args.user, &data.user), std::pair(&args.item, &data.item),
                           std::pair(&args.time, &data.time), std::pair(&args.weight, &data.weight),
                           std::pair(&args.items, &data.items), std::pair(&args.users, &data.users)})
    if (!flag->empty()) *key = *flag;
  // Without a config, data with times is split by time: anything else leaks the future.
  const bool split_given =
      std::any_of(args.set.begin(), args.set.end(), [](const auto& a) { return a.starts_with("data.split"); });
  if (args.config.empty() && !data.time.empty() && !split_given)
    data.split = {.kind = SplitKind::time, .validation = "7d", .test = "7d", .test_files = {}};
  train(options, args.output, {.resume = args.resume, .profile = args.profile}, interrupted);
  log_info("{}: written; next: pagoda evaluate {}", args.output, args.output);
}

}  // namespace pagoda
