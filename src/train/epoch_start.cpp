#include "train/epoch_start.h"

#include "train/hard_negatives.h"
#include "train/score_thresholds.h"

namespace pagoda::train {

void start_epoch(ThreadPool& pool, const dataset::Dataset& data, const dataset::TrainingContext& fit,
                 const dataset::Options& options, uint64_t epoch, Trainer& trainer) {
  if (auto mined = hard_negatives_at(pool, data, fit, options, epoch)) trainer.take_mined(*std::move(mined));
  if (auto found = score_thresholds_at(pool, data, fit, options, epoch)) trainer.take_thresholds(*std::move(found));
}

}  // namespace pagoda::train
