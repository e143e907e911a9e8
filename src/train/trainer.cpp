#include "train/trainer.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/error.h"

namespace pagoda {

namespace {
constexpr uint64_t kUserDropout = 1, kItemDropout = 2;
constexpr double kLeastTemperature = 0.01;  // a learned one stays above: below, a float's logits lose the small ones
}  // namespace

Trainer::Trainer(const Options& options, Model& model, const ItemCells& item_cells,
                 std::span<const uint64_t> training_counts, size_t batch_rows, uint64_t steps, ThreadPool& pool)
    : options_(options), model_(model), item_cells_(item_cells), pool_(pool), steps_(steps),
      loss_(make_loss<float>(options.loss)), log_temperature_(std::log(options.loss.temperature.value_or(0.1))) {
  frequency_ = make_frequency(options.sampling.frequency, training_counts, options.train.seed);
  mixture_ = std::make_unique<Mixture>(options.sampling.negatives,
                                       NegativeWorld{.catalogue_items = static_cast<uint32_t>(item_cells.size()),
                                                     .batch_rows = static_cast<int64_t>(batch_rows),
                                                     .training_counts = training_counts,
                                                     .frequency = frequency_.get()});
  for (const auto& p : model.towers.parameters())
    optimizers_.emplace_back(options.train.optimizer, p.matrix->rows(), p.matrix->cols(), p.table);
}

Trainer::~Trainer() = default;

double Trainer::temperature() const { return std::exp(log_temperature_); }

StepResult Trainer::step(const TrainBatch& batch) {
  const auto& positives = batch.positives;
  const uint64_t seed = options_.train.seed;
  const double dropout = options_.towers.model.dropout;
  if (batch.users.empty()) return {};

  frequency_->observe(positives.values);
  mixture_->draw(positives.values, seed, batch.step, columns_);
  encode_items(batch);

  auto& towers = model_.towers;
  towers.forward_users(pool_, batch.encoded, {dropout, seed, batch.step, kUserDropout}, user_pass_);
  towers.forward_items(pool_, items_, {dropout, seed, batch.step, kItemDropout}, item_pass_);

  // The catalogue's columns are its rows; otherwise example i's positive is column i.
  Ragged<uint32_t> own_columns = positives;
  if (!mixture_->is_catalogue()) std::iota(own_columns.values.begin(), own_columns.values.end(), 0u);
  auto masked = accidental_hits(batch.users, own_columns, columns_.items);
  if (options_.train.mask_history && options_.train.rows == TrainingRows::user)
    mask_known(batch.known, own_columns, columns_.items, masked);
  d_users_.resize(user_pass_.output.rows(), towers.dim());
  d_items_.resize(item_pass_.output.rows(), towers.dim());
  LossOutput<float> result{.d_users = d_users_, .d_items = d_items_};
  loss_->run(pool_,
             {.users = user_pass_.output,
              .items = item_pass_.output,
              .positives = &own_columns,
              .positive_weights = batch.weights,
              .masked = &masked,
              .first_negative = columns_.first_negative,
              .log_count = columns_.log_count,
              .row_columns = nullptr,
              .row_log_count = {},
              .log_multiplicity = columns_.log_multiplicity,
              .negatives_drawn = columns_.drawn,
              .temperature = temperature()},
             result);
  if (!std::isfinite(result.value))
    fail(ErrorKind::failed, "step {}: the loss is {}; lower train.learning_rate or set train.clip_norm", batch.step,
         result.value);

  towers.backward(pool_, batch.encoded, user_pass_, d_users_, items_, item_pass_, d_items_, gradients_);
  update(batch.step);
  if (!options_.loss.temperature) {
    temperature_square_ += result.d_log_temperature * result.d_log_temperature;
    log_temperature_ -=
        options_.train.optimizer.learning_rate * 0.1 * result.d_log_temperature / std::sqrt(temperature_square_);
    log_temperature_ = std::max(log_temperature_, std::log(kLeastTemperature));
  }
  return {result.value, batch.users.size()};
}

// A positive's column is looked at in the moment of its own row, drawn columns in those of the rows in turn.
void Trainer::encode_items(const TrainBatch& batch) {
  std::vector<int64_t> moments;
  if (model_.item_encoder.follows_moment()) {
    moments.reserve(columns_.items.size());
    for (size_t i = 0; i < batch.positives.size() && !mixture_->is_catalogue(); ++i)
      moments.insert(moments.end(), batch.positives[i].size(), batch.moments_us[i]);
    for (size_t j = moments.size(); j < columns_.items.size(); ++j)
      moments.push_back(batch.moments_us[j % batch.moments_us.size()]);
  }
  model_.item_encoder.encode(item_cells_, columns_.items, moments, items_);
}

void Trainer::update(uint64_t step) {
  const auto& o = options_.train.optimizer;
  StepRate rate{.rate = o.learning_rate * rate_schedule(o, step, steps_), .gradient_scale = 1.0, .step = step + 1};
  if (o.clip_norm > 0) {
    const double norm = std::sqrt(gradients_.squared_norm());
    if (norm > o.clip_norm) rate.gradient_scale = o.clip_norm / norm;
  }
  auto& towers = model_.towers;
  size_t at = 0;
  for (size_t t = 0; t < towers.tables().size(); ++t, ++at)
    optimizers_[at].update_rows(pool_, rate, gradients_.tables[t].rows, gradients_.tables[t].values,
                                towers.tables()[t].values());
  for (auto* side : {&gradients_.user, &gradients_.item}) {
    auto& mlp = side == &gradients_.user ? towers.user().mlp() : towers.item().mlp();
    for (size_t l = 0; l < mlp.layers(); ++l) {
      optimizers_[at++].update(pool_, rate, side->weights[l], mlp.weights(l));
      optimizers_[at++].update(pool_, rate, side->biases[l], mlp.biases(l));
    }
  }
}

void Trainer::save(SectionWriter& out) {
  const auto parameters = model_.towers.parameters();
  for (size_t p = 0; p < parameters.size(); ++p) {
    save_matrix(out, "optimizer1/" + parameters[p].name, optimizers_[p].first().view());
    save_matrix(out, "optimizer2/" + parameters[p].name, optimizers_[p].second().view());
  }
  ByteWriter state;
  state.value(log_temperature_);
  state.value(temperature_square_);
  out.section("temperature", state.bytes());
  ByteWriter frequency;
  frequency_->save(frequency);
  out.section("frequency", frequency.bytes());
}

void Trainer::load(const SectionFile& in) {
  const auto parameters = model_.towers.parameters();
  for (size_t p = 0; p < parameters.size(); ++p) {
    load_matrix(in, "optimizer1/" + parameters[p].name, optimizers_[p].first());
    load_matrix(in, "optimizer2/" + parameters[p].name, optimizers_[p].second());
  }
  ByteReader state(in.bytes("temperature"), in.path() + ": section 'temperature'");
  log_temperature_ = state.value<double>();
  temperature_square_ = state.value<double>();
  ByteReader frequency(in.bytes("frequency"), in.path() + ": section 'frequency'");
  frequency_->load(frequency);
}

}  // namespace pagoda
