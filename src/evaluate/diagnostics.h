// Whether model and training are in order: what a ranking metric shows late, or not at all.
#pragma once

#include <span>
#include <vector>

#include "dataset/dataset.h"
#include "dataset/options.h"
#include "evaluate/ranking.h"
#include "model/bundle.h"

namespace pagoda::evaluate {

// Mean cosine over all pairs of different rows: (|sum v|^2 - n) / (n (n - 1)), v the rows at unit length. 0: they lie
// in all directions; near 1: they all point one way, the model has collapsed. Rows of length 0 are left out; NaN of fewer
// than two.
double mean_pairwise_cosine(math::MatrixView<const float> vectors);

// How many different items a batch's columns amount to: (sum_j c_j)^2 / sum_j c_j^2, item j being c_j of the columns
// (exp(log_multiplicity) each; empty: 1). It is 1 / sum p^2 over the batch's own columns: n when all n differ, 1 when
// one item fills them. Why not the entropy form: in it a tail of single columns hides an item that takes a tenth of the
// batch; and why not over the distribution that columns are drawn from: a batch of 1000 uniform draws of a million items
// has 1000 negatives, not a million.
double effective_negatives(std::span<const uint32_t> items, std::span<const double> log_multiplicity);

// (row, column) pairs of a batch where the column could be a negative of the row: from `first_negative` on and none of
// the row's own; and how many of them accidental_hits has masked.
struct AccidentalHits {
  uint64_t pairs = 0, masked = 0;
  void add(const math::Ragged<uint32_t>& masked_columns, const math::Ragged<uint32_t>& own_columns, size_t columns,
           size_t first_negative);
  double rate() const;  // NaN without a pair
};

// What the steps of a training run were like, with the finished model.
struct TrainingDiagnostics {
  uint64_t steps = 0;              // replayed
  double columns = 0;              // of a step, on average: those that are negatives of any row
  double effective_negatives = 0;  // likewise
  double accidental_hit_rate = 0;
  // The batch-against-catalogue gap. An example is a row with one of its positives. How often the positive is among
  // the first K of the batch's columns, and of the whole catalogue; the user's other items are left out on both sides,
  // so the first is never below the second. How much easier training is than serving.
  uint64_t examples = 0;
  std::vector<size_t> ks;
  AtK batch_recall, catalogue_recall;
};

// Makes up to 8 steps of the run's first epoch again, evenly spread: the very batches and columns that training saw, as both
// follow from seed and step. Up to 256 rows of each are examples. Columns are those that all rows share; the memory of
// earlier batches is empty, and rows' own columns come on top. Error{usage}: as
// Mixture. `data` is what the bundle was trained on: see trained_on. Of a bundle of one model, no ensemble.
TrainingDiagnostics replay_training(ThreadPool& pool, const model::Bundle& bundle, const dataset::Options& options,
                                    const dataset::Dataset& data, const std::vector<size_t>& ks);

// Whether the bundle numbers users and items as `data` does, and has learnt from as many rows.
bool trained_on(const model::Bundle& bundle, const dataset::Dataset& data);

}  // namespace pagoda::evaluate
