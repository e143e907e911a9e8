#include <algorithm>

#include "cli/commands.h"
#include "core/log.h"
#include "files/byte_sink.h"
#include "train/suited.h"
#include "train/training.h"
#include "train/whole_config.h"

namespace pagoda::cli {

namespace {

std::vector<std::string> suit(dataset::Options& options, const data::Interactions& log, bool split_given) {
  std::vector<std::string> said;
  if (log.has_time() && !split_given)
    said.push_back(
        train::suit_split(options.data.split, {.time_us = log.time_us, .user = log.user, .users = log.users.size()}));
  if (log.has_time()) said.push_back(train::suit_half_life(options));
  for (auto& line : train::suit_size(options, {log.size(), log.items.size()})) said.push_back(std::move(line));
  return said;
}

int64_t forgetting(const std::string& duration) {
  if (duration.empty()) return 0;
  const auto us = columns::parse_duration_us(duration);
  if (!us || *us <= 0) fail(ErrorKind::usage, "--forget is '{}', expected a duration such as 180d", duration);
  return *us;
}

}  // namespace

void run_train(const TrainArgs& args) {
  files::check_not_compressed(args.output, "a bundle");
  std::shared_ptr<const train::WarmStart> from;
  if (!args.forget.empty() && args.from.empty())
    fail(ErrorKind::usage, "--forget lets rows of a model go: it needs --from");
  if (!args.from.empty()) from = std::make_shared<train::WarmStart>(args.from, forgetting(args.forget));
  if (args.config.empty() && args.interactions.empty())
    fail(ErrorKind::usage,
         "say what to train on: -c pagoda.toml (`pagoda init` writes one), or --interactions FILE --user ... --item "
         "...");
  train::WholeConfig config;
  const bool chooses = args.config.empty() && !from;  // settings that are not given, as `init` would
  if (args.config.empty()) config.training = from ? from->options_for_more() : train::suited_options();
  read_config(args.config, args.set, config);
  auto& options = config.training;
  auto& data = options.data;
  if (!args.interactions.empty()) data.interactions = args.interactions;
  for (auto [flag, key] : {std::pair(&args.user, &data.user), std::pair(&args.item, &data.item),
                           std::pair(&args.time, &data.time), std::pair(&args.weight, &data.weight),
                           std::pair(&args.items, &data.items), std::pair(&args.users, &data.users)})
    if (!flag->empty()) *key = *flag;
  if (!args.item_vectors.empty()) data.item_vectors = args.item_vectors;
  if (!args.user_vectors.empty()) data.user_vectors = args.user_vectors;
  const train::RunFlags flags{.resume = args.resume, .profile = args.profile, .from = from};
  if (chooses) {
    train::suit_history(options);
    dataset::validate(options);
    const bool split_given =
        std::ranges::any_of(args.set, [](const auto& assignment) { return assignment.starts_with("data.split"); });
    auto log = dataset::load_log(data);
    for (const auto& line : suit(options, log, split_given)) log_info("- {}", line);
    read_config("", args.set, config);
    train::train(options, dataset::make_dataset(data, std::move(log)), args.output, flags, interrupted);
  } else {
    train::train(options, args.output, flags, interrupted);
  }
  log_info("{}: written; next: pagoda evaluate {}", args.output, args.output);
}

}  // namespace pagoda::cli
