#include "train/trainer.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <tuple>
#include <utility>

#include "core/error.h"
#include "core/log.h"
#include "core/rng.h"
#include "features/id_dropout.h"
#include "train/hard_negatives.h"

namespace pagoda::train {

namespace {
constexpr uint64_t kUserDropout = 1, kItemDropout = 2, kUserIdDropout = 3, kItemIdDropout = 4;
constexpr double kLeastTemperature = 0.01;  // a learned one stays above: below, a float's logits lose the small ones
// The learned temperature's share of the learning rate. One number moves all logits at once, so it must move slowly
// beside the vectors: at 1 it oscillates before the vectors have settled.
constexpr double kTemperatureRate = 0.1;
}  // namespace

Trainer::Trainer(const dataset::Options& options, dataset::TrainingContext& fit, size_t batch_rows, StepPlan plan,
                 ThreadPool& pool)
    : options_(options), model_(fit.model), item_cells_(fit.item_cells), coming_id_rows_(fit.coming_id_rows),
      pool_(pool), plan_(plan), existing_items_(fit.existing_items),
      loss_(loss::make_loss<float>(options.loss, options.towers.model.precision)),
      log_temperature_(std::log(options.loss.temperature.value_or(0.1))) {
  // log q must describe what the loss sees: positives that were thinned out are not drawn.
  frequency_ = sampling::make_frequency(options.sampling.frequency, fit.downsampling.kept_counts(fit.positive_counts),
                                        options.train.seed);
  if (const size_t capacity = sampling::memory_capacity(options.sampling.negatives, batch_rows))
    memory_ = std::make_unique<sampling::CrossBatchMemory>(capacity, fit.model.towers.dim());
  mixture_ = std::make_unique<sampling::Mixture>(
      options.sampling.negatives,
      sampling::SamplingContext{.catalogue_items = static_cast<uint32_t>(fit.item_cells.size()),
                                .existing_items = &existing_items_,
                                .batch_rows = static_cast<int64_t>(batch_rows),
                                .training_counts = fit.item_counts,
                                .frequency = frequency_.get(),
                                .user_items = fit.user_items ? &*fit.user_items : nullptr,
                                .impressions = fit.impressions ? &*fit.impressions : nullptr,
                                .mined = &mined_,
                                .memory = memory_.get()},
      options.sampling.correct_by);
  for (const auto& p : std::as_const(fit.model.towers).parameters())
    optimizers_.emplace_back(pool, options.train.optimizer, p.rows(), p.cols(), p.table);
  user_pass_.clock = item_pass_.clock = &clock_;
}

Trainer::~Trainer() = default;

double Trainer::temperature() const { return std::exp(log_temperature_); }

StepResult Trainer::step(dataset::TrainBatch batch) {
  if (batch.users.empty()) {
    if (batch.ends_epoch) meet_the_rest();
    return {};
  }
  const auto& positives = batch.positives;
  const uint64_t seed = options_.train.seed;
  const double dropout = options_.towers.model.dropout;
  const uint64_t step = plan_.before + batch.step;
  const sampling::SamplingStep now{.seed = seed,
                                   .step = step,
                                   .progress = progress(batch.step),
                                   .positives = positives.values,
                                   .users = batch.users};
  clock_.enter(model::StepStage::sample);
  frequency_->observe(now.positives);
  meet(now.positives);
  mixture_->draw(now, columns_);
  clock_.enter(model::StepStage::encode);
  encode_items(batch, step);
  features::drop_ids(batch.encoded, model_.user_encoder.layout(), options_.towers.user.id.dropout,
                     Rng(seed, Stream::dropout, step, kUserIdDropout));

  clock_.enter(model::StepStage::towers);
  auto& towers = model_.towers;
  towers.forward_users(pool_, batch.encoded, {dropout, seed, step, kUserDropout}, user_pass_);
  towers.forward_items(pool_, items_, {dropout, seed, step, kItemDropout}, item_pass_);
  column_vectors_.gather(pool_, item_pass_.output, memory_.get(), columns_v_);

  clock_.enter(model::StepStage::sample);
  // The catalogue's columns are its rows; otherwise example i's positive is column i.
  math::Ragged<uint32_t> own_columns = positives;
  if (!mixture_->is_catalogue()) std::iota(own_columns.values.begin(), own_columns.values.end(), 0u);
  const auto shared = std::span(columns_.items).first(columns_.shared);
  const auto masked = loss::accidental_hits(pool_, batch.users, own_columns, shared,
                                            options_.train.mask_history_items ? &batch.known : nullptr);
  add_hardest(now, own_columns, masked);
  clock_.enter(model::StepStage::loss);
  d_users_.resize(user_pass_.output.rows(), towers.dim());
  d_columns_.resize(columns_v_.rows(), towers.dim());
  std::vector<float> thresholds;
  for (size_t i = 0; i < batch.users.size() && !thresholds_.empty(); ++i)
    thresholds.push_back(thresholds_[batch.users[i]]);
  loss::LossOutput<float> result{.d_users = d_users_, .d_items = d_columns_};
  loss_->run(pool_,
             {.users = user_pass_.output,
              .items = columns_v_,
              .positives = &own_columns,
              .positive_weights = batch.weights,
              .thresholds = thresholds,
              .threshold_temperature = options_.loss.top_k_temperature,
              .masked = &masked,
              .first_negative = columns_.first_negative,
              .shared_columns = columns_.shared,
              .row_columns = columns_.row_columns.size() > 0 ? &columns_.row_columns : nullptr,
              .row_log_count = columns_.row_log_count,
              .frozen_begin = columns_.memory_begin,
              .frozen_end = columns_.memory_end,
              .log_count = columns_.log_count,
              .log_multiplicity = columns_.log_multiplicity,
              .negatives_drawn = columns_.drawn,
              .temperature = temperature()},
             result);
  if (!std::isfinite(result.value))
    fail(ErrorKind::failed, "step {}: the loss is {}; lower train.learning_rate or set train.clip_norm", batch.step,
         result.value);

  clock_.enter(model::StepStage::backward);
  column_vectors_.scatter(pool_, d_columns_, columns_.gradient_scale, d_items_);
  towers.backward(pool_, batch.encoded, user_pass_, d_users_, items_, item_pass_, d_items_, gradients_);
  clock_.enter(model::StepStage::update);
  const double rate = learning_rate(batch.step);
  update(step, rate);
  steps_ = batch.step + 1;
  if (!options_.loss.temperature) move_temperature(rate, result.d_log_temperature);
  push_to_memory(now);
  if (batch.ends_epoch) meet_the_rest();
  clock_.enter(model::StepStage::between);
  return {result.value, batch.users.size(), static_cast<double>(masked.values.size()),
          static_cast<double>(batch.users.size()) * static_cast<double>(columns_.shared - columns_.first_negative)};
}

// In a pass in order of time, items begin to exist with their first row, and get their own row of the id table.
void Trainer::meet(std::span<const uint32_t> items) {
  for (const uint32_t item : items) {
    existing_items_ = std::max(existing_items_, item + 1);
    if (coming_id_rows_.empty() || coming_id_rows_[item] == columns::Interner::kNone) continue;
    item_cells_.id_rows[item] = std::exchange(coming_id_rows_[item], columns::Interner::kNone);
  }
}

// At the end of an epoch: rows that were left over from the last batch stand in histories, and in what is written.
void Trainer::meet_the_rest() {
  if (coming_id_rows_.empty()) return;
  std::vector<uint32_t> all(coming_id_rows_.size());
  std::iota(all.begin(), all.end(), 0u);
  meet(all);
  coming_id_rows_.clear();
}

// Of a training that goes on, the very end: a source that stops there has not stopped.
double Trainer::progress(uint64_t step) const {
  if (plan_.goes_on) return std::nextafter(1.0, 0.0);
  return static_cast<double>(step) / static_cast<double>(std::max<uint64_t>(1, plan_.planned));
}

double Trainer::learning_rate(uint64_t step) const {
  const auto& o = options_.train.optimizer;
  return o.learning_rate * (plan_.goes_on ? o.final_rate : nn::rate_schedule(o, step, plan_.planned));
}

// A positive's column is looked at in the moment of its own row, the others in those of the rows in turn.
void Trainer::encode_items(const dataset::TrainBatch& batch, uint64_t step) {
  std::vector<int64_t> moments;
  if (model_.item_encoder.depends_on_time()) {
    moments.reserve(columns_.items.size());
    for (size_t i = 0; i < batch.positives.size() && !mixture_->is_catalogue(); ++i)
      moments.insert(moments.end(), batch.positives[i].size(), batch.timestamps_us[i]);
    for (size_t j = moments.size(); j < columns_.items.size(); ++j)
      moments.push_back(batch.timestamps_us[j % batch.timestamps_us.size()]);
  }
  column_vectors_.arrange(columns_, moments);
  model_.item_encoder.encode(item_cells_, column_vectors_.items(), column_vectors_.timestamps_us(), items_);
  features::drop_ids(items_, model_.item_encoder.layout(), options_.towers.item.id.dropout,
                     Rng(options_.train.seed, Stream::dropout, step, kItemIdDropout));
}

// The hardest of the batch become columns of their rows once more; what they are is known only now.
void Trainer::add_hardest(const sampling::SamplingStep& now, const math::Ragged<uint32_t>& positives,
                          const math::Ragged<uint32_t>& masked) {
  const auto count = static_cast<size_t>(mixture_->hardest(now));
  if (count == 0) return;
  std::vector<float> bias;
  if (options_.loss.correction != loss::Correction::none && loss::reads_temperature(options_.loss.kind))
    for (size_t j = 0; j < now.positives.size(); ++j)
      bias.push_back(static_cast<float>(-options_.loss.logq_weight * columns_.log_count[j]));
  const InBatch batch{.users = user_pass_.output,
                      .items = columns_v_,
                      .candidates = now.positives.size(),
                      .bias = bias,
                      .positives = &positives,
                      .masked = &masked,
                      .temperature = temperature()};
  sampling::add_row_columns(hardest_in_batch(pool_, batch, count), columns_);
}

// Adagrad on log tau, at the rate of all parameters in this step times kTemperatureRate.
void Trainer::move_temperature(double rate, double d_log_temperature) {
  if (d_log_temperature == 0) return;  // nothing learned: no 0 / 0 in the first step
  temperature_square_ += d_log_temperature * d_log_temperature;
  log_temperature_ -= rate * kTemperatureRate * d_log_temperature / std::sqrt(temperature_square_);
  log_temperature_ = std::max(log_temperature_, std::log(kLeastTemperature));
}

// The batch's positives, as the towers had them before this step's update.
void Trainer::push_to_memory(const sampling::SamplingStep& now) {
  if (!memory_) return;
  std::vector<double> log_density;
  for (const uint32_t item : now.positives) log_density.push_back(frequency_->log_probability(item));
  memory_->push(now.positives, log_density, columns_v_.view().slice_rows(0, now.positives.size()));
}

void Trainer::update(uint64_t step, double learning_rate) {
  nn::StepRate rate{.rate = learning_rate, .gradient_scale = 1.0, .step = step + 1};
  if (const double limit = options_.train.optimizer.clip_norm; limit > 0) {
    const double norm = std::sqrt(gradients_.squared_norm());
    if (norm > limit) rate.gradient_scale = limit / norm;
  }
  model_.towers.update(pool_, rate, gradients_, optimizers_);
}

void Trainer::save(SectionWriter& out) const {
  const auto parameters = std::as_const(model_.towers).parameters();
  for (size_t p = 0; p < parameters.size(); ++p) {
    model::save_matrix<float>(out, "optimizer1/" + parameters[p].name, optimizers_[p].first().view());
    model::save_matrix<float>(out, "optimizer2/" + parameters[p].name, optimizers_[p].second().view());
  }
  ByteWriter state;
  state.value(log_temperature_);
  state.value(temperature_square_);
  out.section("temperature", state.bytes());
  ByteWriter steps;
  steps.value(steps_);
  steps.value(existing_items_);
  steps.array(coming_id_rows_);
  out.section("steps", steps.bytes());
  ByteWriter frequency;
  frequency_->save(frequency);
  out.section("frequency", frequency.bytes());
  ByteWriter mined;
  mined.array(mined_.offsets);
  mined.array(mined_.values);
  out.section("mined", mined.bytes());
  ByteWriter thresholds;
  thresholds.array(thresholds_);
  if (!thresholds_.empty()) out.section("thresholds", thresholds.bytes());
  ByteWriter memory;
  if (memory_) memory_->save(memory);
  out.section("memory", memory.bytes());
}

namespace {

ByteReader reader_of(const SectionFile& in, const std::string& name) {
  return {in.bytes(name), in.path() + ": section '" + name + "'"};
}

bool same(const sampling::FrequencyOptions& a, const sampling::FrequencyOptions& b) {
  return std::tie(a.kind, a.learning_rate, a.buckets, a.hashes, a.clock, a.bias_correction) ==
         std::tie(b.kind, b.learning_rate, b.buckets, b.hashes, b.clock, b.bias_correction);
}

}  // namespace

void Trainer::load_temperature(const SectionFile& in) {
  auto state = reader_of(in, "temperature");
  log_temperature_ = state.value<double>();
  temperature_square_ = state.value<double>();
}

void Trainer::load_mined(const SectionFile& in) {
  auto mined = reader_of(in, "mined");
  mined_.offsets = mined.array<uint64_t>();
  mined_.values = mined.array<uint32_t>();
}

void Trainer::go_on(const SectionFile& in, const model::CarryOver& carry, const dataset::Options& was) {
  const auto parameters = std::as_const(model_.towers).parameters();
  if (was.train.optimizer.kind == options_.train.optimizer.kind) {
    for (size_t p = 0; p < parameters.size(); ++p)
      for (const bool first : {true, false}) {
        const auto name = (first ? "optimizer1/" : "optimizer2/") + parameters[p].name;
        const auto state = model::read_matrix<float>(in, name);
        carry.rows<float>(p, state.view(), first ? optimizers_[p].first() : optimizers_[p].second(), name);
      }
  } else {
    log_warning("train.optimizer is another one: its sums begin anew");
  }
  if (!options_.loss.temperature && !was.loss.temperature) load_temperature(in);
  // Exact counts are those of the rows that are learnt from now.
  if (options_.sampling.frequency.kind == sampling::FrequencyKind::streaming) {
    auto frequency = reader_of(in, "frequency");
    if (same(was.sampling.frequency, options_.sampling.frequency))
      frequency_->load(frequency);
    else
      log_warning("sampling.frequency has changed: the frequencies of items are estimated anew");
  }
  load_mined(in);
  auto memory = reader_of(in, "memory");
  if (memory_ && !memory.at_end()) memory_->take_latest(sampling::CrossBatchMemory::of(memory));
}

void Trainer::load(const SectionFile& in) {
  const auto parameters = std::as_const(model_.towers).parameters();
  for (size_t p = 0; p < parameters.size(); ++p) {
    model::load_matrix(in, "optimizer1/" + parameters[p].name, optimizers_[p].first());
    model::load_matrix(in, "optimizer2/" + parameters[p].name, optimizers_[p].second());
  }
  load_temperature(in);
  if (in.has("steps")) {  // not of version 0.1
    auto steps = reader_of(in, "steps");
    steps_ = steps.value<uint64_t>();
    const auto existing = steps.value<uint32_t>();
    auto coming = steps.array<uint32_t>();
    for (uint32_t item = 0; item < coming_id_rows_.size(); ++item)
      if (coming.empty() || coming.at(item) == columns::Interner::kNone) meet({&item, 1});
    coming_id_rows_ = std::move(coming);
    existing_items_ = existing;
  }
  auto frequency = reader_of(in, "frequency");
  frequency_->load(frequency);
  load_mined(in);
  if (in.has("thresholds")) thresholds_ = reader_of(in, "thresholds").array<float>();
  auto memory = reader_of(in, "memory");
  if (memory_) memory_->load(memory);
}

}  // namespace pagoda::train
