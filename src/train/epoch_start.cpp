#include "train/epoch_start.h"

#include "train/hard_negatives.h"
#include "train/score_thresholds.h"

namespace pagoda::train {

void start_epoch(ThreadPool& pool, const dataset::Dataset& data, const dataset::TrainingContext& fit,
                 const dataset::Options& options, uint64_t epoch, Trainer& trainer) {
  // A stream and a single pass have no thresholds, whatever they go on from.
  const bool goes_on = trainer.goes_on(), has_epochs = !trainer.in_order_of_time();
  if (auto mined = hard_negatives_at(pool, data, fit, options, epoch, goes_on)) trainer.take_mined(*std::move(mined));
  if (auto found = score_thresholds_at(pool, data, fit, options, epoch, goes_on && has_epochs))
    trainer.take_thresholds(*std::move(found));
}

}  // namespace pagoda::train
