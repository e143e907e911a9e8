// Health of model and training: faults that a ranking metric shows late, or not at all.
#pragma once

#include <span>
#include <vector>

#include "dataset/dataset.h"
#include "dataset/options.h"
#include "evaluate/ranking.h"
#include "model/bundle.h"

namespace pagoda::evaluate {

// Mean cosine over all pairs of different rows: (|sum v|^2 - n) / (n (n - 1)), v the rows at unit length. 0: they point
// in all directions; near 1: they all point one way, and the model has collapsed. Rows of length 0 are left out; NaN
// for fewer than two rows.
double mean_pairwise_cosine(math::MatrixView<const float> vectors);

// How many different items a batch's columns are worth: (sum_j c_j)^2 / sum_j c_j^2, where item j has c_j of the
// columns (a column counts exp(log_multiplicity), or 1 if that is empty). It is 1 / sum p^2 over the batch's own
// columns: n if all n differ, 1 if one item fills them. The entropy form would not do: in it, a tail of single columns
// hides an item that takes a tenth of the batch. Nor would the distribution that columns are drawn from: a batch of
// 1000 uniform draws from a million items has 1000 negatives, not a million.
double effective_negatives(std::span<const uint32_t> items, std::span<const double> log_multiplicity);

// (row, column) pairs of a batch in which the column could be a negative of the row: it is not before `first_negative`,
// and is none of the row's own. `masked` of them are accidental hits.
struct AccidentalHits {
  uint64_t pairs = 0, masked = 0;
  void add(const math::Ragged<uint32_t>& masked_columns, const math::Ragged<uint32_t>& own_columns, size_t columns,
           size_t first_negative);
  double rate() const;  // NaN without a pair
};

// Measures of a run's training steps, replayed with the finished model.
struct TrainingDiagnostics {
  uint64_t steps = 0;              // replayed
  double columns = 0;              // of a step, on average: those that are negatives of some row
  double effective_negatives = 0;  // likewise
  double accidental_hit_rate = 0;
  // The gap between batch and catalogue: how much easier training is than serving. An example is a row with one of its
  // positives. The recalls say how often the positive is among the first K of the batch's columns, and of the whole
  // catalogue. Both leave out the user's other items, so the first is never below the second.
  uint64_t examples = 0;
  std::vector<size_t> ks;
  AtK batch_recall, catalogue_recall;
};

// Replays up to 8 steps of the run's first epoch, evenly spread, with the batches and shared columns that training saw,
// as these follow from seed and step. Three things differ: sources draw as at the very beginning of training, the
// memory of earlier batches is empty, and columns of single rows are left out. Up to 256 rows of each step are
// examples. Error{usage}: as Mixture. `data` is what the bundle was trained on (trained_on()). The bundle is of one
// model, no ensemble.
TrainingDiagnostics replay_training(ThreadPool& pool, const model::Bundle& bundle, const dataset::Options& options,
                                    const dataset::Dataset& data, const std::vector<size_t>& ks);

// Whether the bundle numbers users and items as `data` does, and has learnt from as many rows.
bool trained_on(const model::Bundle& bundle, const dataset::Dataset& data);

}  // namespace pagoda::evaluate
