// The training step.
#pragma once

#include <memory>
#include <vector>

#include "loss/accidental_hits.h"
#include "loss/loss.h"
#include "model/inference.h"
#include "train/batcher.h"
#include "train/options.h"

namespace pagoda {

struct StepResult {
  double loss = 0;
  size_t examples = 0;
};

// Holds what a run changes: towers, optimiser state, frequency estimator, learned temperature. Everything else is
// borrowed. One thread calls step(), in the order of the steps; the pool works for it.
class Trainer {
 public:
  // `training_counts`: rows of the training part on each catalogue item.
  Trainer(const Options& options, Model& model, const ItemCells& item_cells, std::span<const uint64_t> training_counts,
          size_t batch_rows, uint64_t steps, ThreadPool& pool);
  ~Trainer();

  StepResult step(const TrainBatch& batch);

  double temperature() const;
  const Frequency& frequency() const { return *frequency_; }
  // The state beside the model's weights: optimiser, frequency, temperature.
  void save(SectionWriter& out);
  void load(const SectionFile& in);

 private:
  void encode_items(const TrainBatch& batch);
  void update(uint64_t step);

  const Options& options_;
  Model& model_;
  const ItemCells& item_cells_;
  ThreadPool& pool_;
  uint64_t steps_;
  std::unique_ptr<Frequency> frequency_;
  std::unique_ptr<Mixture> mixture_;
  std::unique_ptr<Loss<float>> loss_;
  double log_temperature_;
  double temperature_square_ = 1e-3;               // Adagrad's sum for the learned temperature
  std::vector<OptimizerState<float>> optimizers_;  // parallel to towers.parameters()

  // Workspace, kept between steps.
  Columns columns_;
  EncodedBatch items_;
  TwoTowers<float>::Pass user_pass_, item_pass_;
  Matrix<float> d_users_, d_items_;
  TwoTowersGradients<float> gradients_;
};

}  // namespace pagoda
