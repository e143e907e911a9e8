#include "cli/simulate_command.h"

#include <CLI/CLI.hpp>
#include <cstdio>

#include "core/log.h"
#include "core/progress.h"
#include "simulate/frequency.h"
#include "simulate/world.h"

namespace pagoda {

void add_simulate_command(CLI::App& app) {
  auto* simulate = app.add_subcommand("simulate", "a synthetic world with known relevance; the papers' frequency simulation");
  simulate->require_subcommand(1);
  static std::string folder;

  static WorldOptions world;
  auto* w = simulate->add_subcommand("world", "users, items, a biased log of clicks, and the truth behind it");
  w->footer("\nExamples:\n  pagoda simulate world --interactions 1000000 --seed 7 -o world\n");
  w->add_option("-o,--output", folder, "folder")->required();
  w->add_option("--interactions", world.interactions, "rows of the log, 1e3 to 1e8")->capture_default_str();
  w->add_option("--users", world.users, "0: one for every 30 interactions")->capture_default_str();
  w->add_option("--items", world.items, "0: 20 times the root of the interactions")->capture_default_str();
  w->add_option("--days", world.days, "length of the log")->capture_default_str();
  w->add_option("--seed", world.seed, "the same options, the same bytes")->capture_default_str();
  w->add_option("--format", world.format, "parquet, csv, tsv, jsonl, csv.gz ...")->capture_default_str();
  w->add_option("--skew", world.skew, "how unevenly the recommender shows items")->capture_default_str();
  w->add_option("--withheld", world.withheld, "share of the items that are never shown to anyone")->capture_default_str();
  w->add_option("--new-items", world.new_items, "share of the items born within the log's days")->capture_default_str();
  w->callback([] {
    ThreadPool pool(0);
    const auto s = simulate_world(pool, world, folder);
    log_info("{}: {} interactions of {} users with {} items; the top fifth of the items has {:.0f}% of the clicks, {} items were never shown",
             folder, human_count(static_cast<double>(s.n_interactions)), human_count(static_cast<double>(s.n_users)),
             human_count(static_cast<double>(s.n_items)), 100 * s.top_fifth_share, s.items_never_shown);
  });

  static FrequencySimulation frequency;
  auto* f = simulate->add_subcommand("frequency", "the simulation of Yi et al. 2019, section 6.1");
  f->footer("\nExamples:\n  pagoda simulate frequency --seeds 10 -o frequency\n  pagoda simulate frequency --hashes 1,2,4 --learning-rates 0.01 -o frequency\n");
  f->add_option("-o,--output", folder, "folder")->required();
  f->add_option("--items", frequency.items, "M")->capture_default_str();
  f->add_option("--batch", frequency.batch, "draws a step")->capture_default_str();
  f->add_option("--learning-rates", frequency.learning_rates, "a of the moving average")->delimiter(',')->capture_default_str();
  f->add_option("--hashes", frequency.hashes, "m")->delimiter(',')->capture_default_str();
  f->add_option("--buckets", frequency.buckets, "in all, shared among the hashes")->capture_default_str();
  f->add_option("--steps", frequency.steps, "steps")->capture_default_str();
  f->add_option("--switch-step", frequency.switch_step, "when the popularity turns over")->capture_default_str();
  f->add_option("--every", frequency.every, "steps between two measurements")->capture_default_str();
  f->add_option("--seed", frequency.seed, "of the draws and hashes")->capture_default_str();
  f->add_option("--seeds", frequency.seeds, "runs whose errors are averaged")->capture_default_str();
  f->callback([] {
    ThreadPool pool(0);
    const auto errors = simulate_frequency(frequency, pool, folder);
    std::printf("%-10s %8s %8s %8s %10s\n", "estimator", "a", "hashes", "step", "error");
    for (size_t i = 0; i < errors.size(); ++i) {
      const auto& e = errors[i];
      const bool last = i + 1 == errors.size() || errors[i + 1].step <= e.step;
      if (last || e.step == frequency.switch_step)
        std::printf("%-10s %8g %8ld %8ld %10.4f\n", e.as_printed ? "printed" : "ours", e.learning_rate, e.hashes, e.step, e.error);
    }
    log_info("{}/frequency.jsonl: the whole curves", folder);
  });
}

}  // namespace pagoda
