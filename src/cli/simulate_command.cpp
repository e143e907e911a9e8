#include "cli/simulate_command.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>

#include "core/error.h"
#include "core/log.h"
#include "core/progress.h"
#include "data/id_overlap.h"
#include "simulate/frequency.h"
#include "simulate/frequency_replay.h"
#include "simulate/world.h"

namespace pagoda::cli {

namespace {

// Prints one line per estimator: for each tenth of the items, the mean of the median error over the checkpoints.
void print_replay(const std::vector<simulate::ReplayError>& errors) {
  struct Line {
    simulate::ReplayError label;
    double sum[10]{}, checkpoints[10]{};
  };
  std::vector<Line> lines;
  for (const auto& e : errors) {
    if (e.group != simulate::ReplayGroup::items) continue;
    const auto same = [&](const Line& l) {
      return l.label.learning_rate == e.learning_rate && l.label.half_life == e.half_life &&
             l.label.hashes == e.hashes && l.label.estimator == e.estimator;
    };
    auto line = std::ranges::find_if(lines, same);
    if (line == lines.end()) line = lines.insert(line, {e});
    line->sum[e.decile - 1] += e.median_absolute;
    ++line->checkpoints[e.decile - 1];
  }
  if (lines.empty()) return;  // only cohorts
  std::printf("%-10s %8s %6s %8s   median |p / share - 1| by decile of the items, hottest first\n", "estimator",
              "a, rows", "hashes", "buckets");
  for (const auto& l : lines) {
    const double memory = std::max(l.label.learning_rate, l.label.half_life);
    std::printf("%-10s %8g %6ld %8ld  ", std::string(simulate::name_of(l.label.estimator)).c_str(), memory,
                l.label.hashes, l.label.buckets);
    for (size_t d = 0; d < 10; ++d) std::printf(" %6.3f", l.sum[d] / l.checkpoints[d]);
    std::printf("\n");
  }
}

simulate::ReplayCohorts read_cohorts(const std::string& path, const std::string& id, const data::Interactions& log) {
  const auto table =
      data::load_attributes({.paths = {path}, .format = files::Format::automatic, .id = id, .bad_rows = {}});
  const columns::Column* column = table.find("cohort");
  if (!column) fail(ErrorKind::usage, "{}: has no column 'cohort'", path);
  data::report_overlap(data::count_overlap({&table.ids}, {&log.items}),
                       {"the log", "items of " + path, "write the ids of both alike"});
  columns::Interner names;
  simulate::ReplayCohorts cohorts;
  std::string scratch;
  for (uint32_t item = 0; item < log.items.size(); ++item) {
    const auto row = table.ids.find(log.items[item]);
    const auto name = row == columns::Interner::kNone ? std::string_view() : column->as_text(row, scratch);
    cohorts.of_item.push_back(name.empty() ? simulate::ReplayCohorts::kNone : names.add(name));
  }
  for (uint32_t c = 0; c < names.size(); ++c) cohorts.names.emplace_back(names[c]);
  return cohorts;
}

}  // namespace

void add_simulate_command(CLI::App& app) {
  auto* simulate =
      app.add_subcommand("simulate", "a synthetic world with known relevance; the papers' frequency simulation");
  simulate->require_subcommand(1);
  static std::string folder;

  static simulate::WorldOptions world;
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
  w->add_option("--withheld", world.withheld, "share of the items that are never shown to anyone")
      ->capture_default_str();
  w->add_flag("--events", world.events, "views and dislikes among the interactions, in a column 'event'");
  w->add_option("--impressions", world.impressions, "share of what was shown and not clicked that is written")
      ->capture_default_str();
  w->add_option("--truth-users", world.truth_users, "users whose truth is written")->capture_default_str();
  w->add_option("--truth-items", world.truth_items, "most relevant items written for each of them")
      ->capture_default_str();
  w->add_option("--new-items", world.new_items, "share of the items born within the log's days")->capture_default_str();
  w->callback([] {
    ThreadPool pool(0);
    const auto s = simulate::simulate_world(pool, world, folder);
    log_info(
        "{}: {} interactions of {} users with {} items; the top fifth of the items has {:.0f}% of the clicks, {} items "
        "were never shown",
        folder, human_count(static_cast<double>(s.n_interactions)), human_count(static_cast<double>(s.n_users)),
        human_count(static_cast<double>(s.n_items)), 100 * s.top_fifth_share, s.items_never_shown);
    if (world.events)
      log_info("beside them {} views and {} dislikes", human_count(static_cast<double>(s.views)),
               human_count(static_cast<double>(s.dislikes)));
  });

  static simulate::FrequencySimulation frequency;
  auto* f = simulate->add_subcommand("frequency", "the simulation of Yi et al. 2019, section 6.1");
  f->footer(
      "\nExamples:\n  pagoda simulate frequency --seeds 10 -o frequency\n  pagoda simulate frequency --hashes 1,2,4 "
      "--learning-rates 0.01 -o frequency\n");
  f->add_option("-o,--output", folder, "folder")->required();
  f->add_option("--items", frequency.items, "M")->capture_default_str();
  f->add_option("--batch", frequency.batch, "draws a step")->capture_default_str();
  f->add_option("--learning-rates", frequency.learning_rates, "a of the moving average")
      ->delimiter(',')
      ->capture_default_str();
  f->add_option("--hashes", frequency.hashes, "m")->delimiter(',')->capture_default_str();
  f->add_option("--buckets", frequency.buckets, "in all, shared among the hashes")->capture_default_str();
  f->add_option("--steps", frequency.steps, "steps")->capture_default_str();
  f->add_option("--switch-step", frequency.switch_step, "when the popularity turns over")->capture_default_str();
  f->add_option("--every", frequency.every, "steps between two measurements")->capture_default_str();
  f->add_option("--seed", frequency.seed, "of the draws and hashes")->capture_default_str();
  f->add_option("--seeds", frequency.seeds, "runs whose errors are averaged")->capture_default_str();
  f->callback([] {
    ThreadPool pool(0);
    const auto errors = simulate::simulate_frequency(frequency, pool, folder);
    std::printf("%-10s %8s %8s %8s %10s\n", "estimator", "a", "hashes", "step", "error");
    for (size_t i = 0; i < errors.size(); ++i) {
      const auto& e = errors[i];
      const bool last = i + 1 == errors.size() || errors[i + 1].step <= e.step;
      if (last || e.step == frequency.switch_step)
        std::printf("%-10s %8g %8ld %8ld %10.4f\n", e.as_printed ? "printed" : "ours", e.learning_rate, e.hashes,
                    e.step, e.error);
    }
    log_info("{}/frequency.jsonl: the whole curves", folder);
  });

  static simulate::FrequencyReplay replay;
  static data::InteractionOptions replayed;
  auto* r = simulate->add_subcommand("replay",
                                     "streaming frequency estimation on a log in order of time, against exact counts");
  r->footer(
      "\nExamples:\n  pagoda simulate replay clicks.csv.gz --time ts -o replay\n  pagoda simulate replay "
      "clicks.parquet --time ts --learning-rates 0.01 --hashes 1,2,4 --buckets 8192 -o replay\n");
  r->add_option("log", replayed.paths, "interactions: CSV, JSONL, Parquet ...; globs")->required();
  r->add_option("--user", replayed.user, "column")->capture_default_str();
  r->add_option("--item", replayed.item, "column")->capture_default_str();
  r->add_option("--time", replayed.time, "column; without it the order of the file is the order of time");
  r->add_option("--learning-rates", replay.learning_rates, "a of the moving average")
      ->delimiter(',')
      ->capture_default_str();
  r->add_option("--half-lives", replay.half_lives, "rows; of decayed count-min sketches of the same memory beside it")
      ->delimiter(',');
  r->add_option("--hashes", replay.hashes, "m")->delimiter(',')->capture_default_str();
  r->add_option("--buckets", replay.buckets, "in all, shared among the hashes")->capture_default_str();
  r->add_option("--batch", replay.batch, "rows observed at once")->capture_default_str();
  r->add_option("--window", replay.window, "rows that the exact shares are counted over")->capture_default_str();
  r->add_option("--every", replay.every, "rows from one checkpoint to the next; 0: the window")->capture_default_str();
  r->add_option("--seed", replay.seed, "of the hashes")->capture_default_str();
  static std::string cohorts;
  r->add_option("--cohorts", cohorts,
                "table of item and `cohort`: compares these with the rows that follow, no deciles");
  r->add_option("-o,--output", folder, "folder")->required();
  r->callback([] {
    ThreadPool pool(0);
    const auto log = data::load_interactions(replayed);
    const auto of_items = cohorts.empty() ? std::nullopt : std::optional(read_cohorts(cohorts, replayed.item, log));
    print_replay(simulate::replay_frequency(log, replay, pool, folder, of_items ? &*of_items : nullptr));
    log_info("{}/replay.jsonl: every checkpoint", folder);
  });
}

}  // namespace pagoda::cli
