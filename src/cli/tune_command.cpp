#include "cli/tune_command.h"

#include <CLI/CLI.hpp>
#include <cstdio>
#include <optional>

#include "cli/commands.h"
#include "cli/set_option.h"
#include "core/log.h"
#include "evaluate/metric_name.h"
#include "train/whole_config.h"
#include "tune/output.h"

namespace pagoda::cli {

namespace {

struct TuneArgs {
  std::string config, output;
  std::vector<std::string> set;  // a.b=v
  std::optional<int64_t> trials;
  std::optional<double> minutes;
};

void run_tune(const TuneArgs& args) {
  train::WholeConfig config;
  read_config(args.config, args.set, config);
  auto& options = config.training;
  dataset::validate(options);
  evaluate::parse_metric(options.train.choose_by);
  tune::Budget budget{.trials = args.trials};
  if (args.minutes) budget.minutes = *args.minutes;
  ThreadPool pool(static_cast<int>(options.train.threads));
  const auto data = dataset::load_dataset(options.data);
  const auto outcome = tune::tune(pool, options, data, budget, args.output, interrupted);
  if (!outcome && !interrupted)
    fail(ErrorKind::failed,
         "--minutes {}: the time was over before the config as it stands was trained; give it more; the same command "
         "goes on from there",
         budget.minutes);
  if (outcome) {
    const auto table = tune::write_outcome(*outcome, config, args.config, args.output);
    std::fwrite(table.data(), 1, table.size(), stdout);
    if (std::fflush(stdout) != 0) fail(ErrorKind::failed, "stdout: cannot be written");
    log_info("{0}/tune.html: the page; {0}/trials.tsv: all trials", args.output);
  }
  if (interrupted) fail(ErrorKind::interrupted, "interrupted; the same command goes on from there");
  log_info("{0}/best.toml: written; next: pagoda train -c {0}/best.toml -o model.pagoda", args.output);
}

}  // namespace

void add_tune_command(CLI::App& app) {
  static TuneArgs args;
  auto* tune = app.add_subcommand("tune", "search for a better config, by the validation part");
  tune->footer(
      "\nExamples:\n"
      "  pagoda tune -c pagoda.toml --minutes 60 -o tune\n"
      "  pagoda tune -c pagoda.toml --trials 20 -o tune\n"
      "  pagoda train -c tune/best.toml -o model.pagoda\n");
  tune->add_option("-c,--config", args.config, "the config that is to become better")->required();
  tune->add_option("-o,--output", args.output,
                   "folder of best.toml, trials.tsv, tune.html and what is done; a tuning in it goes on")
      ->required();
  auto* minutes = tune->add_option("--minutes", args.minutes, "time to spend; otherwise 30");
  tune->add_option("--trials", args.trials, "configs to try in place of a time; the same seed tries the same ones")
      ->excludes(minutes);
  add_set_option(*tune, args.set);
  tune->callback([] { run_tune(args); });
}

}  // namespace pagoda::cli
