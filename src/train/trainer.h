// The training step.
#pragma once

#include <memory>
#include <vector>

#include "dataset/batcher.h"
#include "dataset/options.h"
#include "dataset/training_context.h"
#include "loss/accidental_hits.h"
#include "loss/loss.h"
#include "model/inference.h"
#include "train/column_vectors.h"

namespace pagoda::train {

struct StepResult {
  double loss = 0;
  size_t examples = 0;
  double accidental_hits = 0, pairs = 0;  // (row, column) pairs: masked ones, all
};

// Holds what a run changes: towers, optimiser state, frequency estimator, learned temperature. Everything else is
// borrowed. One thread calls step(), in the order of the steps; the pool works for it.
class Trainer {
 public:
  // Changes the weights of fit.model, and nothing else in it. `steps`: the steps planned for the whole training.
  Trainer(const dataset::Options& options, dataset::TrainingContext& fit, size_t batch_rows, uint64_t steps,
          ThreadPool& pool);
  ~Trainer();

  StepResult step(const dataset::TrainBatch& batch);
  model::StepClock& clock() { return clock_; }  // of all steps so far

  // Offline mined negatives for the steps to come.
  void take_mined(sampling::ItemsOfUsers mined) { mined_ = std::move(mined); }

  double temperature() const;
  const sampling::Frequency& frequency() const { return *frequency_; }
  // The state beside the model's weights: optimiser, frequency, temperature, mined lists, cross-batch memory.
  void save(SectionWriter& out) const;
  void load(const SectionFile& in);

 private:
  void encode_items(const dataset::TrainBatch& batch);
  void add_hardest(const sampling::SamplingStep& now, const math::Ragged<uint32_t>& positives,
                   const math::Ragged<uint32_t>& masked);
  void move_temperature(double rate, double d_log_temperature);
  void push_to_memory(const sampling::SamplingStep& now);
  void update(uint64_t step, double learning_rate);

  const dataset::Options& options_;
  model::Model& model_;
  const features::EncodedItems& item_cells_;
  sampling::ItemsOfUsers mined_;
  std::unique_ptr<sampling::CrossBatchMemory> memory_;
  ThreadPool& pool_;
  uint64_t steps_;
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
