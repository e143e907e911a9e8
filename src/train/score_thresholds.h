// Thresholds of SL@K (loss.h): for each user, the cosine of the K-th best item of the catalogue.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "core/thread_pool.h"
#include "dataset/training_context.h"

namespace pagoda::train {

// [users], by the current model. A large catalogue is searched in part, as a sample tells a quantile well: the rank is
// then K times the share of the items that are searched, at least 1. Costs one search of that part for each user.
// Deterministic by (seed, epoch).
std::vector<float> score_thresholds(ThreadPool& pool, const dataset::Dataset& data, const dataset::TrainingContext& fit,
                                    size_t k, uint64_t seed, uint64_t epoch);

// The epoch, from 0, at whose start SL@K begins: top_k_start of them, but never the first.
int64_t first_epoch_of_thresholds(const dataset::Options& options);

// Those for the epochs from `epoch` on; nothing if the options do not renew them at this epoch. There are none before
// top_k_start, nor in the first epoch, when ranks say nothing, unless a training goes on.
std::optional<std::vector<float>> score_thresholds_at(ThreadPool& pool, const dataset::Dataset& data,
                                                      const dataset::TrainingContext& fit,
                                                      const dataset::Options& options, uint64_t epoch, bool goes_on);

}  // namespace pagoda::train
