#include "tune/trial_run.h"

#include <chrono>
#include <filesystem>
#include <optional>

#include "core/file.h"
#include "core/log.h"
#include "core/progress.h"
#include "core/section_file.h"
#include "dataset/batcher.h"
#include "dataset/training_context.h"
#include "evaluate/evaluation.h"
#include "train/checkpoint.h"
#include "train/choose_half_life.h"
#include "train/epoch_start.h"
#include "train/run_identity.h"
#include "train/trainer.h"

namespace pagoda::tune {

namespace {

constexpr std::string_view kUsersKind = "tune users";
constexpr uint32_t kUsersVersion = 1;

dataset::Options lasting(dataset::Options options) {
  const dataset::TrainOptions standard;
  options.train.threads = standard.threads;
  options.train.checkpoint_seconds = standard.checkpoint_seconds;
  return options;
}

void save_users(const std::string& path, uint64_t best_epoch, const std::vector<double>& values) {
  SectionWriter out(path, kUsersKind, kUsersVersion);
  out.section("epoch", std::as_bytes(std::span(&best_epoch, 1)));
  out.section("values", std::as_bytes(std::span(values)));
  out.commit();
}

// Nothing: there is no such file, or it is damaged, or of another epoch.
std::vector<double> load_users(const std::string& path, uint64_t best_epoch) {
  if (!file_exists(path)) return {};
  try {
    const SectionFile in(path, kUsersKind, kUsersVersion);
    in.verify();
    uint64_t epoch = 0;
    const auto head = in.bytes("epoch"), bytes = in.bytes("values");
    if (head.size() != sizeof(epoch)) return {};
    std::memcpy(&epoch, head.data(), sizeof(epoch));
    if (epoch != best_epoch) return {};
    std::vector<double> values(bytes.size() / sizeof(double));
    std::memcpy(values.data(), bytes.data(), values.size() * sizeof(double));
    return values;
  } catch (const Error& error) {
    log_warning("{}; the trial is trained again", error.what());
    return {};
  }
}

}  // namespace

TrialRunner::TrialRunner(ThreadPool& pool, const dataset::Dataset& data, const dataset::Options& base,
                         std::string folder)
    : pool_(pool), data_set_(data), folder_(std::move(folder)),
      metric_(
          evaluate::telling_metric(base.train.choose_by, base.evaluate.k, static_cast<int64_t>(data.catalogue.size()))),
      data_(train::run_identity(base, data).data), relevant_(dataset::relevant_items(data, data::Part::validation)) {
  const auto coverage = dataset::evaluation_coverage(data, relevant_, base.evaluate.repeats);
  if (coverage.reachable == 0)
    fail(
        ErrorKind::usage,
        "nobody can be judged on the validation part ({} users in it, {} of them with a row before it), so nothing can "
        "be tuned; let data.split.validation hold out more",
        coverage.users, coverage.with_history);
  users_ = coverage.with_history;
  std::string unsaid;
  half_life_us_ = train::choose_half_life(pool_, data, relevant_, base, &unsaid);
}

std::string TrialRunner::config_identity(const dataset::Options& options) const {
  return dataset::to_toml(lasting(options), false);
}

std::string TrialRunner::id(const dataset::Options& options) const {
  return fmt::format("{:016x}", checksum(config_identity(options)));
}

std::string TrialRunner::path(const dataset::Options& options, const char* what) const {
  return fmt::format("{}/{}.{}", folder_, id(options), what);
}

Standing TrialRunner::run(const dataset::Options& options, int64_t epochs, const std::function<bool()>& stop) const {
  using Clock = std::chrono::steady_clock;
  const auto begin = Clock::now();
  const train::RunIdentity identity{.config = config_identity(options), .data = data_, .former_checksums = {}};
  const auto state_path = path(options, "state"), users_path = path(options, "users");
  dataset::TrainingContext fit(data_set_, options, false);
  const dataset::Batcher batcher(dataset::batch_source(options, data_set_, fit, half_life_us_));
  const uint64_t per_epoch = batcher.steps_per_epoch();
  fit.model.towers.initialise(pool_, options.train.seed);
  train::Trainer trainer(options, fit, batcher.batch_rows(),
                         {.planned = per_epoch * static_cast<uint64_t>(options.train.epochs)}, pool_);
  train::TrainingProgress progress;
  std::vector<double> users;
  if (file_exists(state_path)) try {
      const train::Checkpoint from(state_path, identity);
      auto kept = load_users(users_path, from.progress().best_epoch);
      const bool is_whole = from.progress().best_epoch == 0 || !kept.empty();
      if (is_whole && from.progress().next_step <= per_epoch * static_cast<uint64_t>(epochs)) {
        from.restore(fit.model, trainer);
        progress = from.progress();
        users = std::move(kept);
      }
    } catch (const Error& error) {
      log_warning("a trial begins anew: {}", error.what());
      std::filesystem::remove(state_path);
      return run(options, epochs, stop);
    }
  const double before = progress.seconds;
  const auto save = [&] {
    progress.seconds = before + std::chrono::duration<double>(Clock::now() - begin).count();
    if (!users.empty()) save_users(users_path, progress.best_epoch, users);
    train::save_checkpoint(state_path, progress, identity, fit.model, trainer);
  };
  const auto patience = static_cast<uint64_t>(options.train.patience);
  const auto every = static_cast<uint64_t>(options.train.evaluate_every);
  const auto last = static_cast<uint64_t>(options.train.epochs);
  auto only_choosing = options;  // other lengths of lists decide nothing
  only_choosing.evaluate.k = {evaluate::parse_metric(metric_).k};

  const auto judge = [&](uint64_t epoch) {
    const auto vectors = model::item_vectors(pool_, fit.model, fit.item_cells, data_set_.train_end_us);
    std::vector<double> of_users;
    const auto metrics =
        evaluate::validation_metrics(pool_, data_set_, fit, vectors, relevant_, only_choosing, metric_, &of_users);
    const double value = std::ranges::find(metrics, metric_, &std::pair<std::string, double>::first)->second;
    ++progress.evaluations_since_best;
    if (value <= progress.best_value) return;
    progress.best_value = value;
    progress.best_epoch = epoch;
    progress.evaluations_since_best = 0;
    users = std::move(of_users);
  };

  const auto is_stopped = [&] { return progress.evaluations_since_best >= patience; };
  if (!is_stopped()) {
    dataset::BatchStream stream(batcher, progress.next_step, per_epoch * static_cast<uint64_t>(epochs));
    Progress bar("training", per_epoch * static_cast<uint64_t>(epochs), "steps");
    while (auto batch = stream.next()) {
      const uint64_t step = batch->step, epoch = step / per_epoch;
      if (step % per_epoch == 0) train::start_epoch(pool_, data_set_, fit, options, epoch, trainer);
      trainer.step(*std::move(batch));
      progress.next_step = step + 1;
      bar.update(progress.next_step);
      if (progress.next_step % per_epoch == 0 && ((epoch + 1) % every == 0 || epoch + 1 == last)) {
        judge(epoch + 1);
        if (is_stopped()) break;
      }
      if (stop()) {
        save();
        fail(ErrorKind::interrupted, "stopped at step {}", progress.next_step);
      }
    }
    bar.finish();
    save();
  }
  return {.value = progress.best_value,
          .best_epoch = static_cast<int64_t>(progress.best_epoch),
          .stopped = is_stopped(),
          .seconds = progress.seconds};
}

std::vector<double> TrialRunner::users_at_best(const dataset::Options& options, int64_t best_epoch) const {
  auto values = load_users(path(options, "users"), static_cast<uint64_t>(best_epoch));
  if (values.size() != users_) values.clear();
  return values;
}

void TrialRunner::forget(const dataset::Options& options) const { std::filesystem::remove(path(options, "state")); }

}  // namespace pagoda::tune
