#include "train/training.h"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <utility>

#include "core/config.h"
#include "core/log.h"
#include "core/progress.h"
#include "core/warnings.h"
#include "evaluate/bundle_evaluation.h"
#include "evaluate/comparison_table.h"
#include "evaluate/evaluation.h"
#include "evaluate/judged_model.h"
#include "math/bootstrap.h"
#include "math/tile_kernels.h"
#include "report/run_log.h"
#include "train/checkpoint.h"
#include "train/choose_half_life.h"
#include "train/choose_neighbours.h"
#include "train/drift.h"
#include "train/epoch_start.h"
#include "train/score_thresholds.h"
#include "train/suited.h"
#include "train/trained_model.h"
#include "train/trainer.h"

namespace pagoda::train {

namespace {

using SteadyClock = std::chrono::steady_clock;

// Epochs of a refit that goes on, at least: at the low rate of the end, few say too little of what is new. One row of
// each user is soon learnt by heart (docs/experiments/refit.md).
constexpr uint64_t kLeastEpochsGoingOn = 12, kLeastEpochsOfLastRows = 6;

// As docs/train.md calls the trainings.
std::string name_of(Phase phase) {
  return phase == Phase::choose ? "choose" : phase == Phase::judge ? "judge" : "ship";
}

double seconds_since(SteadyClock::time_point start) {
  return std::chrono::duration<double>(SteadyClock::now() - start).count();
}

// The run in progress: what its phases share.
class Run {
 public:
  // Phase ship trains on data with nothing held out: it turns owned data into that, and copies borrowed data first.
  Run(const dataset::Options& options, std::optional<dataset::Dataset> own, const dataset::Dataset* borrowed,
      const std::string& output, std::shared_ptr<const WarmStart> from, const std::atomic<bool>& interrupted)
      : whole_options_(options), options_(options), from_(std::move(from)),
        choose_by_(evaluate::telling_metric(options.train.choose_by, options.evaluate.k,
                                            static_cast<int64_t>((own ? *own : *borrowed).catalogue.size()))),
        output_(output), interrupted_(interrupted), own_(std::move(own)), data_(own_ ? &*own_ : borrowed),
        pool_(static_cast<int>(options.train.threads)), identity_(run_identity(options, *data_)) {
    if (from_ && !options_.loss.temperature_ratio) options_.loss.temperature_ratio = from_->options().loss.ratio();
    check((from_ == nullptr) == (data_->earlier == nullptr), "the data has what the model to go on from has learnt");
    relevant_ = dataset::relevant_items(*data_, data::Part::validation);
    judgeable_ = dataset::evaluation_coverage(*data_, relevant_, options.evaluate.repeats);
    any_test_ = std::ranges::find(data_->parts, data::Part::test) != data_->parts.end();
    half_life_us_ = choose_half_life(pool_, *data_, relevant_, options, &half_life_said_);
    test_rows_ =
        dataset::fingerprint_of_rows(data_->log, [&](size_t row) { return data_->parts[row] == data::Part::test; });
  }

  void execute(RunFlags flags);

 private:
  std::string path(const char* name) const { return evaluate::run_folder(output_) + "/" + name; }
  void begin_phase(Phase phase);
  void run_phase(dataset::TrainingContext& fit, uint64_t end_epoch, const Checkpoint* from);
  void judge(dataset::TrainingContext& fit, const Trainer& trainer, uint64_t epoch);
  void save(dataset::TrainingContext& fit, Trainer& trainer);
  void write(const std::string& path, dataset::TrainingContext& fit, bool with_validation, bool all_rows);
  void choose(model::Model& model);
  void judge_on_test();
  void say_who_validates() const;
  bool may_choose() const { return judgeable_.reachable > 0; }
  bool chooses_ratio() const {
    const auto& loss = whole_options_.loss;
    return !from_ && !loss.temperature_ratio && loss.kind == loss::LossKind::sampled_softmax &&
           loss.correction != loss::Correction::leave_one_out && may_choose();
  }
  void take_ratio();
  void choose_ratio(std::optional<dataset::TrainingContext>& fit, std::optional<Checkpoint>& from);
  // With nothing held out, the rows that train are all rows.
  bool nothing_held_out() const { return options_.data.split.kind == data::SplitKind::none; }
  bool ships_all() const { return options_.train.refit == dataset::Refit::all && !nothing_held_out(); }
  // That the chosen model was trained for, and a refit that does not go on is.
  uint64_t epochs() const { return may_choose() ? progress_.best_epoch : static_cast<uint64_t>(options_.train.epochs); }
  bool refits() const { return options_.train.refit != dataset::Refit::none && may_choose(); }
  // Whether each phase after phase choose goes on from the one before it.
  bool goes_on() const { return refits() && !from_ && dataset::refits_going_on(options_); }
  uint64_t epochs_going_on() const {
    if (options_.train.order == dataset::Order::time) return 1;
    const bool last_rows = options_.data.split.kind == data::SplitKind::leave_last;
    return std::max(epochs(), last_rows ? kLeastEpochsOfLastRows : kLeastEpochsGoingOn);
  }
  void next_context(std::optional<dataset::TrainingContext>& fit, bool with_validation, std::vector<bool> learnt);

  bool chooses_neighbours() const {
    const auto& o = options_.neighbours;
    const bool told = o.weight && (o.shrinkage || o.kind != model::NeighbourKind::ease);
    return o.kind != model::NeighbourKind::none && (!told || o.kind == model::NeighbourKind::automatic);
  }
  std::optional<model::Neighbours> neighbours_of(const dataset::TrainingContext& fit);

  // Whether the weights that are written may be of an epoch before the last.
  bool keeps_best() const {
    return goes_on() || (options_.train.refit == dataset::Refit::none && options_.train.keep_state);
  }

  const dataset::Options& whole_options_;  // as they were given
  dataset::Options options_;               // with the temperature ratio of the current training
  std::shared_ptr<const WarmStart> from_;  // nullptr: from nothing
  std::string choose_by_;                  // train.choose_by, with a K that can tell models apart
  std::string output_;
  const std::atomic<bool>& interrupted_;
  std::optional<dataset::Dataset> own_;
  const dataset::Dataset* data_;  // of the current phase
  dataset::Relevant relevant_;
  dataset::EvaluationCoverage judgeable_;  // of relevant_
  ThreadPool pool_;
  RunIdentity identity_;
  bool any_test_ = false;
  std::string test_rows_;     // fingerprint of the test part
  int64_t half_life_us_ = 0;  // the same in all phases, chosen on the validation part
  std::string half_life_said_;
  TrainingProgress progress_;
  std::optional<report::RunLog> log_;
  bool profile_ = false, began_ = false;  // began_: a record of the run was written
  std::function<void(const report::RunRecord&)> observe_;
  std::vector<report::NamedValue> validation_;      // of the latest evaluation
  std::string frequency_;                           // state at the end of the run
  std::unique_ptr<Trainer> trainer_;                // of the latest phase
  std::optional<dataset::TrainingContext> before_;  // of the phase that this one goes on from, until it does
  uint64_t steps_before_ = 0;                       // that were taken for its weights
  uint64_t refit_epochs_ = 0;                       // of the current phase, after phase choose
  SteadyClock::time_point last_checkpoint_ = SteadyClock::now(), phase_start_ = SteadyClock::now();
};

void Run::execute(RunFlags flags) {
  profile_ = flags.profile;
  observe_ = std::move(flags.observe);
  const auto checkpoint_path = path("checkpoint");
  std::optional<Checkpoint> from;
  if (flags.resume && file_exists(checkpoint_path)) from.emplace(checkpoint_path, identity_);
  if (flags.resume && !from) log_info("no checkpoint in {}: beginning anew", evaluate::run_folder(output_));
  make_folder(evaluate::run_folder(output_));
  if (!from)  // of another run: a later --resume must not find it beside this run's best model
    for (const auto& old : {checkpoint_path, path("best"), path("refit"), evaluate::judged_path(output_),
                            model::metrics_path(evaluate::judged_path(output_))})
      std::filesystem::remove(old);
  if (from) {
    progress_ = from->progress();
    began_ = true;
  }
  log_.emplace(evaluate::run_folder(output_),
               from ? std::optional(progress_.steps_before + progress_.next_step) : std::nullopt);
  if (options_.towers.model.precision == math::Precision::bf16 && !math::bf16_is_fast())
    log_warning("model.precision is \"bf16\", but this CPU has neither AMX nor a fast AVX-512 BF16: {}",
                math::use_bf16_loss() ? "\"f32\" would be faster" : "the loss is taken in f32, which is faster here");
  log_info("{} users, {} items, {} rows to train on, {} users to validate with", human_count(data_->users.size()),
           human_count(data_->catalogue.size()),
           human_count(static_cast<double>(std::count(data_->parts.begin(), data_->parts.end(), data::Part::train))),
           human_count(static_cast<double>(judgeable_.with_history)));
  if (data_->log.has_time() && !data_->log.times_said.empty())
    log_info("column '{}': {}; from {} to {}", options_.data.time, data_->log.times_said,
             columns::format_time_us(*std::ranges::min_element(data_->log.time_us)),
             columns::format_time_us(*std::ranges::max_element(data_->log.time_us)));
  if (!data_->split_said.empty()) log_info("split: {}", data_->split_said);
  if (!half_life_said_.empty()) log_info("train.half_life: {}", half_life_said_);
  say_who_validates();
  if (const auto& o = options_.loss; o.top_k > 0 && first_epoch_of_thresholds(options_) >= options_.train.epochs)
    log_warning("loss.top_k = {} begins at epoch {} of {}, and so never: lower loss.top_k_start or raise train.epochs",
                o.top_k, first_epoch_of_thresholds(options_) + 1, options_.train.epochs);
  if (dataset::reads_histories_apart(options_))
    log_warning(
        "train.order = \"sequences\" would be several times as fast: a transformer then reads a user's rows in one "
        "pass");
  if (choose_by_ != options_.train.choose_by && may_choose())
    log_warning("{} cannot tell models apart among {} items: a list so long holds nearly all there is; {} chooses",
                options_.train.choose_by, data_->catalogue.size(), choose_by_);

  take_ratio();
  std::optional<dataset::TrainingContext> fit;
  if (progress_.phase == Phase::choose) {
    choose_ratio(fit, from);
    if (may_choose()) {
      choose(fit->model);
      if (chooses_neighbours())
        progress_.neighbours = choose_neighbours(pool_, *data_, *fit, relevant_, options_, choose_by_);
    } else if (!nothing_held_out())
      log_info("chosen: the last of {} epochs, nobody could be judged", options_.train.epochs);
  }
  if (refits() && progress_.phase != Phase::ship) {
    if (progress_.phase == Phase::choose) begin_phase(Phase::judge);
    next_context(fit, true, data_->rows_that_train(false));
    log_info("chosen: {} epochs ({} = {:.4f} on validation); {} for {}", progress_.best_epoch, choose_by_,
             progress_.best_value, before_ ? "going on with the validation part" : "training on train and validation",
             before_ ? fmt::format("{} epochs", refit_epochs_) : "as many");
    run_phase(*fit, refit_epochs_, from ? &*from : nullptr);
    from.reset();
  }
  if (!ships_all()) {
    write(output_, *fit, refits(), nothing_held_out());
  } else {
    if (progress_.phase != Phase::ship) {
      write(evaluate::judged_path(output_), *fit, refits(), false);
      progress_.judged.training_rows = fit->events.size();
      if (goes_on()) save_best(path("refit"), fit->model, trainer_.get());
      judge_on_test();
      begin_phase(Phase::ship);
    } else if (goes_on()) {
      next_context(fit, true, data_->rows_that_train(false));
    }
    auto learnt = data_->rows_that_train(true);
    const auto numbers = goes_on() ? dataset::Numbers::kept : dataset::Numbers::anew;
    own_ = dataset::with_all_rows(own_ ? std::move(*own_) : dataset::Dataset(*data_), numbers);
    data_ = &*own_;
    next_context(fit, false, std::move(learnt));
    log_info("{} {} rows for {} epochs: the model that is written",
             before_ ? "going on with the test part, to all" : "training on all", human_count(data_->log.size()),
             refit_epochs_);
    run_phase(*fit, refit_epochs_, from ? &*from : nullptr);
    write(output_, *fit, true, true);
  }
  if (from_) {
    const auto now = model::Bundle::open(output_);
    say_drift(pool_, *from_->earlier()->bundle, *now);
    say_lineage(from_->next(), now->info().training_rows);
  }
  std::filesystem::remove(checkpoint_path);
  std::filesystem::remove(path("best"));
  std::filesystem::remove(path("refit"));
}

// Puts the context of the phase that begins in the place of `fit`. Where it goes on, `fit`, which had the rows
// `learnt`, moves to before_; after a resume it is made again, for its encoders alone.
void Run::next_context(std::optional<dataset::TrainingContext>& fit, bool with_validation, std::vector<bool> learnt) {
  trainer_.reset();
  before_.reset();
  if (goes_on()) {
    if (!fit) fit.emplace(*data_, options_, false);
    const dataset::Batcher batches(dataset::batch_source(options_, *data_, *fit));
    steps_before_ += (refit_epochs_ > 0 ? refit_epochs_ : epochs()) * batches.steps_per_epoch();
    before_ = std::move(fit);
    const dataset::LearntBefore before{&*before_, std::move(learnt)};
    fit.emplace(*data_, options_, with_validation, &before);
    refit_epochs_ = epochs_going_on();
    if (std::ranges::count(fit->skipped, false) > 0) return;
    before_.reset();  // it has nothing new to learn: anew
    steps_before_ = 0;
  }
  refit_epochs_ = epochs();
  fit.emplace(*data_, options_, with_validation);
}

// Phase choose trains once; once for each of kRatios, where the best of them is to be chosen. The best weights of all
// lie in the file of the best model.
void Run::choose_ratio(std::optional<dataset::TrainingContext>& fit, std::optional<Checkpoint>& from) {
  const auto train_once = [&] {
    trainer_.reset();
    fit.emplace(*data_, options_, false);
    run_phase(*fit, static_cast<uint64_t>(options_.train.epochs), from ? &*from : nullptr);
    from.reset();
  };
  train_once();
  if (!chooses_ratio()) return;
  while (progress_.tried.size() + 1 < std::size(kRatios)) {
    auto tried = std::move(progress_.tried);
    tried.push_back(std::move(progress_.evaluated));
    progress_ = {.best_value = progress_.best_value,
                 .best_epoch = progress_.best_epoch,
                 .steps_before = progress_.steps_before + progress_.next_step,
                 .seconds = progress_.seconds,
                 .tried = std::move(tried)};
    take_ratio();
    log_info("loss.temperature_ratio = {}: the same training once more, to choose by validation",
             options_.loss.ratio());
    train_once();
  }
  progress_.tried.push_back(std::move(progress_.evaluated));
  std::string said;
  size_t best = 0;
  const auto value_of = [&](size_t t) { return progress_.tried[t][best_of(progress_.tried[t])].value; };
  for (size_t t = 0; t < progress_.tried.size(); ++t) {
    if (value_of(t) > value_of(best)) best = t;
    said += fmt::format("{}{:.4f} with {}", t == 0 ? "" : ", ", value_of(t), kRatios[t]);
  }
  progress_.ratio = kRatios[best];
  progress_.evaluated = progress_.tried[best];
  take_ratio();
  log_info("loss.temperature_ratio = {}: {} = {} on validation", options_.loss.ratio(), choose_by_, said);
}

// The options of the training to come, where the ratio is to be chosen: that of its turn, or the chosen one.
void Run::take_ratio() {
  if (!chooses_ratio()) return;
  options_.loss.temperature_ratio = progress_.ratio > 0 ? progress_.ratio : kRatios[progress_.tried.size()];
}

// The number of epochs, from what was evaluated; how sure that is. Where weights are kept, they are those of the best.
void Run::choose(model::Model& model) {
  load_best(path("best"), model, keeps_best() ? trainer_.get() : nullptr);
  const auto& evaluated = progress_.evaluated;
  if (evaluated.empty()) return;
  const auto& best = evaluated[best_of(evaluated)];
  if (best.users.empty()) return;  // of a run that began before they were kept
  const auto ties = ties_of(evaluated);
  const auto& middle = evaluated[middle_of(ties)];
  const auto users = judgeable_.with_history;
  const std::vector<double> values(best.users.begin(), best.users.end());
  const auto interval = math::bootstrap_means(pool_, values, 1, {.resamples = 1000})[0];
  const auto figure =
      fmt::format("{} = {:.4f}, 95% interval {:.4f} to {:.4f}", choose_by_, best.value, interval.low, interval.high);
  if (refits() && !goes_on() && middle.epoch != best.epoch) {
    log_info("{} users cannot tell epochs {} to {} apart ({} at epoch {}): the middle one of them is taken", users,
             evaluated[ties.front()].epoch, evaluated[ties.back()].epoch, figure, best.epoch);
    progress_.best_epoch = middle.epoch;
    progress_.best_value = middle.value;
  }
  constexpr uint64_t kFew = 200;
  if (users < kFew)
    log_warning(
        "{} users are few to choose by: {}. A longer data.split.validation has more, data.split.kind = \"leave_last\" "
        "most",
        users, figure);
  if (best.epoch == static_cast<uint64_t>(options_.train.epochs) && evaluated.size() > 1)
    log_warning("{} was best at the last of {} epochs: more train.epochs may be better", choose_by_,
                options_.train.epochs);
}

void Run::begin_phase(Phase phase) {
  progress_ = {.phase = phase,
               .best_value = progress_.best_value,
               .best_epoch = progress_.best_epoch,
               .steps_before = progress_.steps_before + progress_.next_step,
               .seconds = progress_.seconds,
               .judged = std::move(progress_.judged),
               .neighbours = progress_.neighbours,
               .ratio = progress_.ratio};
}

std::optional<model::Neighbours> Run::neighbours_of(const dataset::TrainingContext& fit) {
  const auto& o = options_.neighbours;
  model::NeighbourChoice choice{.kind = o.kind, .weight = o.weight.value_or(0)};
  if (chooses_neighbours() && may_choose())
    choice = progress_.neighbours;
  else if (chooses_neighbours())
    choice = neighbours_unjudged(o, from_ ? &*from_->earlier()->bundle : nullptr);
  if (choice.kind == model::NeighbourKind::none || choice.weight == 0) return std::nullopt;
  return make_neighbours(pool_, fit, options_, choice);
}

// The one look at the test part, by the model that has not learnt from it.
void Run::judge_on_test() {
  if (!any_test_) return;
  const auto judged_path = evaluate::judged_path(output_);
  const auto bundle = model::Bundle::open(judged_path);
  const auto test = evaluate::test_users(*bundle, *data_);
  const auto judgement = evaluate::evaluate_bundle(pool_, *bundle, test,
                                                   {.ks = options_.evaluate.k,
                                                    .repeats = options_.evaluate.repeats,
                                                    .context = options_.evaluate.context,
                                                    .baselines = options_.evaluate.baselines});
  model::write_metrics(judged_path, judgement.json);
  auto figures = nlohmann::ordered_json::parse(judgement.json);
  std::string said;
  for (const auto& [name, value] : figures.at("metrics").items())
    if (value.is_number() && (name.starts_with("recall@") || name.starts_with("ndcg@")))
      said += fmt::format("  {} {:.4f}", name, value.get<double>());
  log_info("judged on the test part, {} users:{}", judgement.known.users, said.empty() ? "  nobody" : said);
  for (const auto& line : evaluate::comparison_table(judgement.json)) log_info("{}", line);
  figures.erase("seconds");  // the same training writes the same bytes
  progress_.judged.fingerprint = bundle->fingerprint();
  progress_.judged.figures = figures.dump(1);
}

void Run::say_who_validates() const {
  const auto& j = judgeable_;
  if (j.users > j.with_history)
    log_info("{} of {} users of the validation part have no row before it, and choose nothing",
             j.users - j.with_history, j.users);
  if (j.repeats > 0 && options_.evaluate.repeats == dataset::Repeats::miss)
    log_info(
        "{} of {} validation items are items that their user had before, and count as misses; evaluate.repeats = "
        "\"keep\" would leave them in the lists",
        j.repeats, j.pairs);
  if (may_choose()) return;
  if (nothing_held_out())
    return log_info(
        "nothing is held out (data.split.kind = \"none\"): {} epochs on all rows, and no figure of what they are worth",
        options_.train.epochs);
  const auto why = j.users == 0 ? std::string("there is no validation part")
                   : j.with_history == 0
                       ? fmt::format("none of the {} users of the validation part has a row before it", j.users)
                       : std::string("all validation items are items that their user had before");
  log_warning(
      "nobody can be judged on validation: {}; the model is that of the last of {} epochs, whatever it is worth", why,
      options_.train.epochs);
}

void Run::run_phase(dataset::TrainingContext& fit, uint64_t end_epoch, const Checkpoint* from) {
  const dataset::Batcher batcher(dataset::batch_source(options_, *data_, fit, half_life_us_));
  const uint64_t per_epoch = batcher.steps_per_epoch();
  const uint64_t planned = per_epoch * static_cast<uint64_t>(options_.train.epochs), end = per_epoch * end_epoch;
  fit.model.towers.initialise(pool_, options_.train.seed);
  const StepPlan plan = from_     ? from_->plan()
                        : before_ ? StepPlan{.planned = 0, .before = steps_before_, .goes_on = true}
                                  : StepPlan{.planned = planned};
  trainer_ = std::make_unique<Trainer>(options_, fit, batcher.batch_rows(), plan, pool_);
  Trainer& trainer = *trainer_;
  if (from_) from_->carry(fit.model, trainer);
  if (before_ && !from) {
    const model::CarryOver carry(before_->model, fit.model);
    carry.weights(before_->model.towers, fit.model.towers);
    carry_best(path(progress_.phase == Phase::judge ? "best" : "refit"), carry, options_, trainer);
  }
  before_.reset();
  if (from) from->restore(fit.model, trainer);
  const bool choosing = progress_.phase == Phase::choose && may_choose();
  const double seconds_before = progress_.seconds;
  phase_start_ = last_checkpoint_ = SteadyClock::now();

  dataset::BatchStream stream(batcher, progress_.next_step, end);
  std::optional<Progress> bar;
  auto epoch_start = SteadyClock::now();
  uint64_t epoch_examples = 0;
  const auto next_batch = [&] {
    const model::StepClock::Within read(&trainer.clock(), model::StepStage::read);
    return stream.next();
  };
  uint64_t steps = 0;
  while (auto batch = next_batch()) {
    const uint64_t step = batch->step, epoch = step / per_epoch, in_epoch = step % per_epoch;
    if (in_epoch == 0) start_epoch(pool_, *data_, fit, options_, epoch, trainer);
    if (!bar) bar.emplace(fmt::format("epoch {}/{}", epoch + 1, end_epoch), per_epoch, "steps");
    const auto result = trainer.step(*std::move(batch));
    ++steps;
    progress_.next_step = step + 1;
    progress_.loss_sum += result.loss * static_cast<double>(result.examples);
    progress_.hit_sum += result.accidental_hits;
    progress_.pair_sum += result.pairs;
    progress_.loss_examples += result.examples;
    epoch_examples += result.examples;
    progress_.seconds = seconds_before + seconds_since(phase_start_);
    const double rate = static_cast<double>(epoch_examples) / std::max(1e-9, seconds_since(epoch_start));
    const double loss = progress_.loss_sum / static_cast<double>(std::max<uint64_t>(1, progress_.loss_examples));
    bar->update(in_epoch + 1, fmt::format("loss {:.4f}  {}/s", loss, human_count(rate)));

    if (in_epoch + 1 == per_epoch) {
      bar->finish();
      bar.reset();
      report::RunRecord record{.phase = name_of(progress_.phase),
                               .step = progress_.steps_before + progress_.next_step,
                               .epoch = static_cast<double>(epoch + 1),
                               .seconds = progress_.seconds,
                               .loss = loss,
                               .examples_per_second = rate};
      record.health.push_back({"temperature", trainer.temperature()});
      record.health.push_back({"accidental_hits", progress_.hit_sum / std::max(1.0, progress_.pair_sum)});
      const bool judged = choosing && ((epoch + 1) % static_cast<uint64_t>(options_.train.evaluate_every) == 0 ||
                                       epoch + 1 == end_epoch);
      if (judged) {
        judge(fit, trainer, epoch + 1);
        record.validation = validation_;
      }
      progress_.seconds = record.seconds = seconds_before + seconds_since(phase_start_);
      if (!std::exchange(began_, true)) record.warnings = warnings_so_far();
      log_->write(record);
      if (observe_) observe_(record);
      std::string metrics;
      for (const auto& [name, value] : record.validation) metrics += fmt::format("  {} {:.4f}", name, value);
      log_info("epoch {}/{}  loss {:.4f}  {}/s{}", epoch + 1, end_epoch, loss, human_count(rate), metrics);
      progress_.loss_sum = progress_.hit_sum = progress_.pair_sum = 0;
      progress_.loss_examples = 0;
      epoch_examples = 0;
      epoch_start = SteadyClock::now();
      if (judged && runs_out(progress_.evaluated, static_cast<uint64_t>(options_.train.patience))) break;
      const auto& rivals = progress_.tried;
      if (judged && !rivals.empty() && has_lost(progress_.evaluated, rivals.front(), end_epoch)) break;
    }
    const bool due = seconds_since(last_checkpoint_) >= static_cast<double>(options_.train.checkpoint_seconds);
    if (interrupted_) {
      save(fit, trainer);
      fail(ErrorKind::interrupted, "interrupted at step {}; go on with the same command and --resume", step + 1);
    }
    if (due) save(fit, trainer);
  }
  if (profile_) {
    const double making = stream.seconds_making(), n = static_cast<double>(std::max<uint64_t>(1, steps));
    log_info("{}\n{:<10}{:>10.2f}{:>12.3f}          batches made meanwhile, on a thread of their own",
             trainer.clock().table(steps), "reader", making, 1e3 * making / n);
  }
  ByteWriter frequency;
  trainer.frequency().save(frequency);
  frequency_ = frequency.bytes();
}

// One evaluation on the validation part; the best model so far goes to a file.
void Run::judge(dataset::TrainingContext& fit, const Trainer& trainer, uint64_t epoch) {
  const auto vectors = model::item_vectors(pool_, fit.model, fit.item_cells, data_->train_end_us);
  std::vector<double> users;
  validation_ = evaluate::validation_metrics(pool_, *data_, fit, vectors, relevant_, options_, choose_by_, &users);
  double value = 0;
  for (const auto& v : validation_)
    if (v.first == choose_by_) value = v.second;
  progress_.evaluated.push_back({.epoch = epoch, .value = value, .users = sample_of_users(users)});
  ++progress_.evaluations_since_best;
  if (value <= progress_.best_value) return;
  progress_.best_value = value;
  progress_.best_epoch = epoch;
  progress_.evaluations_since_best = 0;
  save_best(path("best"), fit.model, keeps_best() ? &trainer : nullptr);
}

void Run::save(dataset::TrainingContext& fit, Trainer& trainer) {
  save_checkpoint(path("checkpoint"), progress_, identity_, fit.model, trainer);
  last_checkpoint_ = SteadyClock::now();
}

// with_validation: the model has learnt from the validation part, too. all_rows: from whatever the data has.
void Run::write(const std::string& path, dataset::TrainingContext& fit, bool with_validation, bool all_rows) {
  // Known users answer from all that was seen of them: before the test part, or ever.
  std::optional<dataset::Events> own;
  if (!with_validation) own = data_->events(true);
  const auto& events = own ? *own : fit.events;
  const auto event_histories =  // no more than the towers read
      dataset::latest_of(with_validation ? fit.event_histories : data_->event_histories(true),
                         fit.model.user_encoder.history_length());
  auto options = options_;
  // The judged model is what "validation" trains, to the bit.
  if (!all_rows && options.train.refit == dataset::Refit::all) options.train.refit = dataset::Refit::validation;
  const auto neighbours = neighbours_of(fit);
  TrainedModel trained{.options = options,
                       .data = *data_,
                       .fit = fit,
                       .events = events,
                       .event_histories = event_histories,
                       .info = {.chosen_on = may_choose() ? "validation" : "fixed",
                                .refit = with_validation,
                                .all_rows = all_rows,
                                .epochs = epochs(),
                                .chosen_by = may_choose() ? choose_by_ : "",
                                .test_rows = test_rows_},
                       .run_log = read_file(log_->path()),
                       .frequency = frequency_,
                       .neighbours = neighbours ? &*neighbours : nullptr};
  if (all_rows && !progress_.judged.fingerprint.empty()) {
    trained.judged = {.fingerprint = progress_.judged.fingerprint, .training_rows = progress_.judged.training_rows};
    trained.metrics = progress_.judged.figures;
  }
  write_model(pool_, path, std::move(trained));
  if (path != output_ || !options_.train.keep_state) return;
  const auto lineage = from_ ? from_->next() : Lineage{.full_rows = fit.events.size()};
  const auto bytes =
      write_state(path, events, event_histories, lineage, *trainer_, data_->item_table ? &*data_->item_table : nullptr);
  log_info("{}: {} bytes, from which `pagoda train --from {}` goes on", state_path(path), human_count(bytes), path);
}

}  // namespace

void train(const dataset::Options& options, const std::string& output, RunFlags flags,
           const std::atomic<bool>& interrupted) {
  dataset::validate(options);
  evaluate::parse_metric(options.train.choose_by);
  if (flags.from) flags.from->check_shape(options);
  auto data = dataset::load_dataset(options.data, flags.from ? flags.from->earlier() : nullptr);
  Run(options, std::move(data), nullptr, output, flags.from, interrupted).execute(std::move(flags));
}

void train(const dataset::Options& options, dataset::Dataset&& data, const std::string& output, RunFlags flags,
           const std::atomic<bool>& interrupted) {
  dataset::validate(options);
  evaluate::parse_metric(options.train.choose_by);
  if (flags.from) flags.from->check_shape(options);
  Run(options, std::move(data), nullptr, output, flags.from, interrupted).execute(std::move(flags));
}

void train(const dataset::Options& options, const dataset::Dataset& data, const std::string& output, RunFlags flags,
           const std::atomic<bool>& interrupted) {
  dataset::validate(options);
  evaluate::parse_metric(options.train.choose_by);
  if (flags.from) flags.from->check_shape(options);
  Run(options, std::nullopt, &data, output, flags.from, interrupted).execute(std::move(flags));
}

}  // namespace pagoda::train
