// What a trainer needs anew at the start of some epochs: lists of hard negatives, thresholds of SL@K.
#pragma once

#include "dataset/training_context.h"
#include "train/trainer.h"

namespace pagoda::train {

// Searches with the current model, and hands over what the options renew at this epoch; mostly nothing.
void start_epoch(ThreadPool& pool, const dataset::Dataset& data, const dataset::TrainingContext& fit,
                 const dataset::Options& options, uint64_t epoch, Trainer& trainer);

}  // namespace pagoda::train
