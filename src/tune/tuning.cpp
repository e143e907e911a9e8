#include "tune/tuning.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <limits>

#include "core/file.h"
#include "core/log.h"
#include "core/progress.h"
#include "tune/journal.h"

namespace pagoda::tune {

namespace {

using Clock = std::chrono::steady_clock;

constexpr size_t kRepeats = 2;      // fresh seeds of each finalist
constexpr size_t kFinalists = 2;    // beside the config as it stands
constexpr double kReserve = 0.3;    // of the time, at most, for the repeats
constexpr size_t kMostStates = 12;  // of trials that may go on: each is as large as a model and its optimiser
constexpr double kFailed = -1;      // the value of a trial that could not be trained

class Tuning {
 public:
  Tuning(ThreadPool& pool, const dataset::Options& base, const dataset::Dataset& data, const Budget& budget,
         const std::string& folder, const std::atomic<bool>& interrupted)
      : pool_(pool), base_(for_trials(base)), budget_(budget), interrupted_(interrupted), states_(folder + "/states"),
        runner_(pool, data, base_, states_),
        journal_(folder + "/trials.jsonl",
                 {.config = runner_.config_identity(base_), .data = runner_.data_identity(), .former_checksums = {}},
                 runner_.metric()),
        space_(base_, {.items = static_cast<int64_t>(data.catalogue.size())}),
        rungs_(rungs_of(base_.train.epochs, base_.train.evaluate_every)),
        search_(space_, base_.train.seed, rungs_.size()), start_(Clock::now()) {}

  std::optional<Outcome> run();

 private:
  static dataset::Options for_trials(dataset::Options options) {
    options.train.refit = dataset::Refit::none;
    return options;
  }
  double now() const { return std::chrono::duration<double>(Clock::now() - start_).count(); }
  double most() const { return budget_.trials ? std::numeric_limits<double>::infinity() : budget_.minutes * 60; }
  // The search leaves time for the repeats.
  double search_end() const {
    if (budget_.trials || !search_.is_complete(0)) return most();
    return most() - std::min(kReserve * most(), (kFinalists + 1) * kRepeats * standings_[0].back().seconds);
  }
  bool may_begin() const {
    const auto begun = search_.trials().size();
    if (budget_.trials) return begun < static_cast<size_t>(*budget_.trials);
    return begun < journal_.begun() || now() < search_end();
  }
  dataset::Options options_of(size_t trial, uint64_t seed) const {
    auto options = space_.options(search_.trials()[trial].point);
    options.train.seed = seed;
    return options;
  }
  // The epochs of a rung: the same share of its own epochs for every config.
  int64_t epochs_of(const dataset::Options& options, size_t rung) const {
    return rungs_[rung] * (options.train.epochs / base_.train.epochs);
  }
  // Nothing: the time was over, or the end was asked for.
  std::optional<Standing> train(const dataset::Options& options, int64_t epochs, double end, const Record& record);
  bool advance(const Job& job, double end);
  void search();
  void say(const Job& job, const Standing& standing) const;
  void drop_states();
  bool repeat(Outcome& out, uint64_t seed);
  void judge(Outcome& out);

  ThreadPool& pool_;
  const dataset::Options base_;
  Budget budget_;
  const std::atomic<bool>& interrupted_;
  std::string states_;
  TrialRunner runner_;
  Journal journal_;
  Space space_;
  std::vector<int64_t> rungs_;
  Search search_;
  Clock::time_point start_;
  std::vector<std::vector<Standing>> standings_;  // [trial][rung]
  std::vector<Stretch> stretches_;
};

std::optional<Standing> Tuning::train(const dataset::Options& options, int64_t epochs, double end,
                                      const Record& record) {
  if (const auto* done = journal_.find(record.id, epochs)) return *done;
  if (interrupted_ || now() >= end) return std::nullopt;
  Standing standing;
  try {
    standing = runner_.run(options, epochs, [&] { return interrupted_.load() || now() >= end; });
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::interrupted) return std::nullopt;
    // Of a full disk the trial is not to blame.
    if (record.trial == 0 || error.kind() != ErrorKind::usage) throw;
    log_warning("trial {} ({}) cannot be trained: {}", record.trial, record.changes, error.what());
    standing = {.value = kFailed, .stopped = true};
  }
  auto done = record;
  done.standing = standing;
  journal_.add(done);
  return standing;
}

bool Tuning::advance(const Job& job, double end) {
  const auto options = options_of(job.trial, base_.train.seed);
  const auto& trial = search_.trials()[job.trial];
  const auto standing = train(options, epochs_of(options, job.rung), end,
                              {.id = runner_.id(options),
                               .seed = base_.train.seed,
                               .epochs = epochs_of(options, job.rung),
                               .trial = job.trial,
                               .origin = std::string(name_of(trial.origin)),
                               .changes = space_.changes(trial.point)});
  if (!standing) return false;
  standings_.resize(search_.trials().size());
  auto& rungs = standings_[job.trial];
  const double before = rungs.empty() ? 0 : rungs.back().seconds;
  rungs.push_back(*standing);
  stretches_.push_back({job, *standing, std::max(0.0, standing->seconds - before)});
  search_.report(job, standing->value);
  // A training that has ended does not change at the rungs behind its end.
  if (rungs.size() < 2 || !rungs[rungs.size() - 2].stopped) say(job, *standing);
  drop_states();
  return true;
}

void Tuning::say(const Job& job, const Standing& standing) const {
  const auto& trial = search_.trials()[job.trial];
  const auto changes = space_.changes(trial.point);
  const auto best = search_.best();
  std::string what = fmt::format("trial {}", job.trial);
  if (job.rung == 0) what += ", " + (changes.empty() ? std::string(name_of(trial.origin)) : changes);
  if (standing.value == kFailed) return log_info("{}: failed", what);
  const auto epochs =
      standing.stopped ? standing.best_epoch : epochs_of(options_of(job.trial, base_.train.seed), job.rung);
  log_info("{}: {} {:.4f} after {} epoch{}{}; best {:.4f}, of trial {}", what, runner_.metric(), standing.value, epochs,
           epochs == 1 ? "" : "s", standing.stopped ? ", and no better later" : "",
           search_.trials()[best].values.back(), best);
}

// A state that may not be used again is removed; a trial without one is trained from its beginning.
void Tuning::drop_states() {
  std::vector<size_t> kept;
  for (size_t t = 0; t < standings_.size(); ++t)
    if (!standings_[t].empty() && !search_.is_complete(t)) kept.push_back(t);
  std::ranges::stable_sort(kept,
                           [&](size_t a, size_t b) { return standings_[a].back().value > standings_[b].back().value; });
  for (size_t i = kMostStates; i < kept.size(); ++i) runner_.forget(options_of(kept[i], base_.train.seed));
  const auto& last = stretches_.back().job;
  if (search_.is_complete(last.trial)) runner_.forget(options_of(last.trial, base_.train.seed));
}

void Tuning::search() {
  while (const auto job = search_.next(may_begin())) {
    if (advance(*job, search_end())) continue;
    if (search_.trials()[job->trial].values.empty()) search_.take_back();
    break;
  }
  while (!interrupted_) {
    const auto job = search_.finish();
    if (!job || !advance(*job, most())) break;
  }
}

// One more seed for every finalist; false: not all of them could be trained, and it counts for none.
bool Tuning::repeat(Outcome& out, uint64_t seed) {
  std::vector<Standing> standings;
  std::vector<std::vector<double>> users;
  for (const auto& finalist : out.finalists) {
    const auto options = options_of(finalist.trial, seed);
    const Record record{.id = runner_.id(options),
                        .seed = seed,
                        .epochs = options.train.epochs,
                        .trial = finalist.trial,
                        .origin = "repeat",
                        .changes = space_.changes(search_.trials()[finalist.trial].point)};
    const auto standing = train(options, options.train.epochs, most(), record);
    if (!standing || standing->value == kFailed) return false;
    auto values = runner_.users_at_best(options, standing->best_epoch);
    if (values.empty()) try {  // the folder has lost them
        runner_.run(options, options.train.epochs, [&] { return interrupted_.load() || now() >= most(); });
        values = runner_.users_at_best(options, standing->best_epoch);
      } catch (const Error& error) {
        if (error.kind() != ErrorKind::interrupted) throw;
        return false;
      }
    runner_.forget(options);
    log_info("trial {} with seed {}: {} {:.4f}", finalist.trial, seed, runner_.metric(), standing->value);
    standings.push_back(*standing);
    users.push_back(std::move(values));
  }
  for (size_t f = 0; f < out.finalists.size(); ++f) {
    auto& finalist = out.finalists[f];
    const auto before = static_cast<double>(finalist.repeats.size());
    finalist.repeats.push_back(standings[f]);
    finalist.mean = (finalist.mean * before + standings[f].value) / (before + 1);
    finalist.users.resize(users[f].size());
    for (size_t u = 0; u < users[f].size(); ++u)
      finalist.users[u] = (finalist.users[u] * before + users[f][u]) / (before + 1);
  }
  return true;
}

// Who wins, and how sure that is.
void Tuning::judge(Outcome& out) {
  out.finalists.push_back({.trial = 0});
  for (const size_t trial : search_.complete())
    if (trial != 0 && out.finalists.size() <= kFinalists && search_.trials()[trial].values.back() != kFailed)
      out.finalists.push_back({.trial = trial});
  if (out.finalists.size() > 1)
    for (size_t r = 1; r <= kRepeats; ++r) {
      const uint64_t seed = base_.train.seed + r;
      if (!repeat(out, seed)) break;
      out.fresh_seeds.push_back(seed);
    }
  if (out.fresh_seeds.empty())
    for (auto& finalist : out.finalists) {
      const auto& standing = standings_[finalist.trial].back();
      finalist.mean = standing.value;
      finalist.users = runner_.users_at_best(options_of(finalist.trial, base_.train.seed), standing.best_epoch);
    }
  for (size_t f = 1; f < out.finalists.size(); ++f)
    if (out.finalists[f].mean > out.finalists[out.winner].mean) out.winner = f;
  const auto &winner = out.finalists[out.winner].users, &standing = out.finalists[0].users;
  out.difference = out.finalists[out.winner].mean - out.finalists[0].mean;
  out.interval = {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::quiet_NaN()};
  if (out.winner == 0 || winner.empty() || winner.size() != standing.size()) return;
  std::vector<double> differences(winner.size());
  for (size_t u = 0; u < winner.size(); ++u) differences[u] = winner[u] - standing[u];
  out.interval = math::bootstrap_means(pool_, differences, 1, {.seed = static_cast<int64_t>(base_.train.seed)}).front();
}

std::optional<Outcome> Tuning::run() {
  make_folder(states_);
  log_info("{} keys to search; {} of {} users judges; trials are compared after {} epochs", space_.keys().size(),
           runner_.metric(), human_count(static_cast<double>(runner_.users())), fmt::join(rungs_, ", "));
  if (journal_.begun() > 0) log_info("going on behind {} trials", journal_.begun());
  search();
  if (!search_.is_complete(0)) return std::nullopt;
  Outcome out{.space = space_,
              .metric = runner_.metric(),
              .users = runner_.users(),
              .rungs = rungs_,
              .seed = base_.train.seed,
              .fresh_seeds = {},
              .trials = {},
              .stretches = {},
              .finalists = {}};
  judge(out);
  out.trials = search_.trials();
  out.stretches = stretches_;
  if (!interrupted_)
    for (size_t t = 0; t < out.trials.size(); ++t) runner_.forget(options_of(t, base_.train.seed));
  return out;
}

}  // namespace

int64_t Outcome::epochs(size_t trial) const {
  const auto of_trial = space.options(trials[trial].point).train.epochs;
  return rungs[trials[trial].values.size() - 1] * (of_trial / rungs.back());
}

std::vector<KeyImportance> key_importance(const Outcome& outcome, int64_t& epochs) {
  // The last rung that enough trials have reached. Few trials of the best third say little; those of the first rung are
  // all there are.
  constexpr size_t kEnough = 12;
  size_t rung = outcome.rungs.size() - 1;
  const auto reached = [&](size_t r) {
    return static_cast<size_t>(
        std::ranges::count_if(outcome.trials, [&](const auto& t) { return t.values.size() > r; }));
  };
  while (rung > 0 && reached(rung) < kEnough) --rung;
  epochs = outcome.rungs[rung];
  std::vector<KeyImportance> found;
  for (size_t k = 0; k < outcome.space.keys().size(); ++k) {
    KeyTrials trials{.levels = {}, .values = {}, .ordered = outcome.space.keys()[k].ordered};
    for (const auto& trial : outcome.trials)
      if (trial.values.size() > rung && trial.values[rung] != kFailed && outcome.space.active(trial.point)[k]) {
        trials.levels.push_back(trial.point[k]);
        trials.values.push_back(trial.values[rung]);
      }
    if (const auto importance = importance_of(trials, outcome.seed)) found.push_back({k, *importance});
  }
  std::ranges::stable_sort(
      found, [](const auto& a, const auto& b) { return a.importance.explained > b.importance.explained; });
  return found;
}

std::optional<Outcome> tune(ThreadPool& pool, const dataset::Options& base, const dataset::Dataset& data,
                            const Budget& budget, const std::string& folder, const std::atomic<bool>& interrupted) {
  if (budget.trials && *budget.trials < 1)
    fail(ErrorKind::usage, "--trials {} tries nothing; 1 is the config as it stands alone", *budget.trials);
  if (!budget.trials && !(budget.minutes > 0))
    fail(ErrorKind::usage, "--minutes {} is no time; name a number above 0", budget.minutes);
  make_folder(folder);
  FileLock lock(folder + "/.lock");
  if (!lock.take())
    fail(ErrorKind::usage, "{}: another `pagoda tune` is at work there, or it cannot be written; choose another -o",
         folder);
  return Tuning(pool, base, data, budget, folder, interrupted).run();
}

}  // namespace pagoda::tune
