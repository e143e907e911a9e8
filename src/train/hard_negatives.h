// Mined hard negatives (EBR, Huang et al., KDD 2020, section 6.1): items that the current model ranks high and that are
// no positives.
#pragma once

#include <cstdint>
#include <optional>

#include "core/thread_pool.h"
#include "dataset/training_context.h"
#include "evaluate/evaluation.h"
#include "math/matrix.h"
#include "sampling/mixture.h"

namespace pagoda::train {

// Online: for each row, the columns of [0, candidates) with the highest corrected logits s / tau - beta log lambda,
// `count` for each of the row's positives, ties by column. Positives of the row and masked columns are left out.
struct InBatch {
  math::MatrixView<const float> users, items;  // U [B, D], V; columns [0, candidates) are the batch's positives
  size_t candidates = 0;
  std::span<const float> bias;              // [candidates] -beta log lambda
  const math::Ragged<uint32_t>* positives;  // per row: columns
  const math::Ragged<uint32_t>* masked;     // per row: columns, rising
  double temperature = 0.1;
};
math::Ragged<uint32_t> hardest_in_batch(ThreadPool& pool, const InBatch& batch, size_t count);

// Offline: every user of the fit searches a random shard of the catalogue, without the user's training items, and keeps
// 32 random items of the ranks first_rank .. last_rank, or all if there are fewer. A new shard is drawn for each epoch.
// Costs one search of the shard per user. Deterministic by (seed, epoch).
sampling::ItemsOfUsers mine_hard_negatives(ThreadPool& pool, const dataset::Dataset& data,
                                           const dataset::TrainingContext& fit,
                                           const sampling::NegativesOptions& options, uint64_t seed, uint64_t epoch);

// The lists for the epochs from `epoch` on, mined with the current model; nothing if the options do not renew them at
// this epoch. A training that goes on is past the start of every source.
std::optional<sampling::ItemsOfUsers> hard_negatives_at(ThreadPool& pool, const dataset::Dataset& data,
                                                        const dataset::TrainingContext& fit,
                                                        const dataset::Options& options, uint64_t epoch, bool goes_on);

}  // namespace pagoda::train
