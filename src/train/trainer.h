// The training step.
#pragma once

#include <memory>
#include <vector>

#include "dataset/batcher.h"
#include "dataset/options.h"
#include "dataset/training_context.h"
#include "loss/accidental_hits.h"
#include "loss/loss.h"
#include "model/carry_over.h"
#include "model/inference.h"
#include "train/column_vectors.h"

namespace pagoda::train {

struct StepResult {
  double loss = 0;
  size_t examples = 0;
  double accidental_hits = 0, pairs = 0;  // (row, column) pairs: masked ones, all
};

// Which steps the trainer takes.
struct StepPlan {
  uint64_t planned = 0;  // rates and counts move until the last of them
  // Of a training that goes on from a model: the steps taken before are counted on, and rates and counts stay as they
  // were at the end.
  uint64_t before = 0;
  bool goes_on = false;
};

// Holds what a run changes: towers, optimiser state, frequency estimator, learned temperature. Everything else is
// borrowed. One thread calls step(), in the order of the steps; the pool works for it.
class Trainer {
 public:
  // Changes the weights of fit.model, and item_cells where fit.coming_id_rows says so.
  Trainer(const dataset::Options& options, dataset::TrainingContext& fit, size_t batch_rows, StepPlan plan,
          ThreadPool& pool);
  ~Trainer();

  StepResult step(dataset::TrainBatch batch);
  model::StepClock& clock() { return clock_; }  // of all steps so far
  bool goes_on() const { return plan_.goes_on; }
  bool in_order_of_time() const { return options_.train.order == dataset::Order::time; }

  // Offline mined negatives for the steps to come.
  void take_mined(sampling::ItemsOfUsers mined) { mined_ = std::move(mined); }
  // Thresholds of SL@K, one a user, for the steps to come.
  void take_thresholds(std::vector<float> thresholds) { thresholds_ = std::move(thresholds); }

  double temperature() const;
  const sampling::Frequency& frequency() const { return *frequency_; }
  // The state beside the model's weights: optimiser, frequency, temperature, mined lists, thresholds, cross-batch
  // memory.
  void save(SectionWriter& out) const;
  void load(const SectionFile& in);
  // Takes over the state of a trainer whose model was carried over into this one. `was`: its options; what they change
  // begins anew, and is said.
  void go_on(const SectionFile& in, const model::CarryOver& carry, const dataset::Options& was);
  uint64_t steps_taken() const { return plan_.before + steps_; }

 private:
  void load_temperature(const SectionFile& in);
  void load_mined(const SectionFile& in);
  double progress(uint64_t step) const;  // of the whole training, [0, 1)
  double learning_rate(uint64_t step) const;
  void meet(std::span<const uint32_t> items);
  void meet_the_rest();
  void encode_items(const dataset::TrainBatch& batch, uint64_t step);
  void add_hardest(const sampling::SamplingStep& now, const math::Ragged<uint32_t>& positives,
                   const math::Ragged<uint32_t>& masked);
  void move_temperature(double rate, double d_log_temperature);
  void push_to_memory(const sampling::SamplingStep& now);
  void update(uint64_t step, double learning_rate);

  const dataset::Options& options_;
  model::Model& model_;
  features::EncodedItems& item_cells_;
  std::vector<uint32_t>& coming_id_rows_;
  sampling::ItemsOfUsers mined_;
  std::vector<float> thresholds_;  // empty: none
  std::unique_ptr<sampling::CrossBatchMemory> memory_;
  ThreadPool& pool_;
  StepPlan plan_;
  uint64_t steps_ = 0;       // how many of the plan are taken
  uint32_t existing_items_;  // SamplingContext::existing_items
  std::unique_ptr<sampling::Frequency> frequency_;
  std::unique_ptr<sampling::Mixture> mixture_;
  std::unique_ptr<loss::Loss<float>> loss_;
  double log_temperature_;
  double temperature_square_ = 1e-3;                   // Adagrad's sum for the learned temperature
  std::vector<nn::OptimizerState<float>> optimizers_;  // parallel to towers.parameters()

  model::StepClock clock_;

  // Workspace, kept between steps.
  sampling::Columns columns_;
  ColumnVectors column_vectors_;
  features::EncodedBatch items_;
  model::TwoTowers<float>::Pass user_pass_, item_pass_;
  math::Matrix<float> columns_v_;  // V [N, D]
  math::Matrix<float> d_users_, d_columns_, d_items_;
  model::TwoTowersGradients<float> gradients_;
};

}  // namespace pagoda::train
