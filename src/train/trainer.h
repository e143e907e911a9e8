// The training step.
#pragma once

#include <memory>
#include <vector>

#include "dataset/batcher.h"
#include "dataset/fit.h"
#include "dataset/options.h"
#include "loss/accidental_hits.h"
#include "loss/loss.h"
#include "model/inference.h"
#include "train/column_vectors.h"

namespace pagoda {

struct StepResult {
  double loss = 0;
  size_t examples = 0;
  double accidental_hits = 0, pairs = 0;  // masked (row, column) pairs, of all
};

// Holds what a run changes: towers, optimiser state, frequency estimator, learned temperature. Everything else is
// borrowed. One thread calls step(), in the order of the steps; the pool works for it.
class Trainer {
 public:
  // Moves the weights of fit.model, and nothing else of it. `steps`: planned, of the whole training.
  Trainer(const Options& options, Fit& fit, size_t batch_rows, uint64_t steps, ThreadPool& pool);
  ~Trainer();

  StepResult step(const TrainBatch& batch);
  StepClock& clock() { return clock_; }  // of all steps so far

  // Offline mined negatives for the steps to come.
  void take_mined(ItemsOfUsers mined) { mined_ = std::move(mined); }

  double temperature() const;
  const Frequency& frequency() const { return *frequency_; }
  // The state beside the model's weights: optimiser, frequency, temperature, mined lists, cross-batch memory.
  void save(SectionWriter& out) const;
  void load(const SectionFile& in);

 private:
  void encode_items(const TrainBatch& batch);
  void add_hardest(const SamplingStep& now, const Ragged<uint32_t>& positives, const Ragged<uint32_t>& masked);
  void move_temperature(double rate, double d_log_temperature);
  void push_to_memory(const SamplingStep& now);
  void update(uint64_t step, double learning_rate);

  const Options& options_;
  Model& model_;
  const ItemCells& item_cells_;
  ItemsOfUsers mined_;
  std::unique_ptr<CrossBatchMemory> memory_;
  ThreadPool& pool_;
  uint64_t steps_;
  std::unique_ptr<Frequency> frequency_;
  std::unique_ptr<Mixture> mixture_;
  std::unique_ptr<Loss<float>> loss_;
  double log_temperature_;
  double temperature_square_ = 1e-3;               // Adagrad's sum for the learned temperature
  std::vector<OptimizerState<float>> optimizers_;  // parallel to towers.parameters()

  StepClock clock_;

  // Workspace, kept between steps.
  Columns columns_;
  ColumnVectors column_vectors_;
  EncodedBatch items_;
  TwoTowers<float>::Pass user_pass_, item_pass_;
  Matrix<float> columns_v_;  // V [N, D]
  Matrix<float> d_users_, d_columns_, d_items_;
  TwoTowersGradients<float> gradients_;
};

}  // namespace pagoda
