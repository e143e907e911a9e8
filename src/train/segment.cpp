#include "train/segment.h"

#include <algorithm>
#include <numeric>

#include "core/bytes.h"
#include "core/error.h"
#include "train/epoch_start.h"
#include "train/trained_model.h"

namespace pagoda::train {

LearntSegment learn_segment(ThreadPool& pool, const dataset::Options& options, data::Interactions rows,
                            const std::shared_ptr<const data::Attributes>& users,
                            const std::shared_ptr<const WarmStart>& from, size_t latest_events,
                            const std::string& output) {
  check(options.train.order == dataset::Order::time && options.data.split.kind == data::SplitKind::none,
        "a stream is learnt in order of time, all of it");
  const auto data = dataset::make_dataset(options.data, std::move(rows), from ? from->earlier() : nullptr, users);
  dataset::TrainingContext fit(data, options, false);
  const dataset::Batcher batcher(dataset::batch_source(options, data, fit));
  fit.model.towers.initialise(pool, options.train.seed);
  // A stream has no last step towards which rates could fall.
  Trainer trainer(options, fit, static_cast<size_t>(options.train.batch),
                  from ? from->plan() : StepPlan{.goes_on = true}, pool);
  if (from) from->carry(fit.model, trainer);
  start_epoch(pool, data, fit, options, 0, trainer);

  LearntSegment learnt;
  dataset::BatchStream batches(batcher, 0, batcher.steps_per_epoch());
  while (auto batch = batches.next()) {
    const auto result = trainer.step(*std::move(batch));
    learnt.loss += result.loss * static_cast<double>(result.examples);
    learnt.examples += result.examples;
    ++learnt.steps;
  }
  check(learnt.examples == std::accumulate(fit.positive_counts.begin(), fit.positive_counts.end(), uint64_t{0}),
        "a segment is whole batches, or one short batch: no row is left over");
  learnt.loss /= static_cast<double>(std::max<uint64_t>(1, learnt.examples));
  learnt.temperature = trainer.temperature();
  learnt.steps_taken = trainer.steps_taken();

  const auto events = dataset::latest_of(fit.events, latest_events);
  ByteWriter frequency;
  trainer.frequency().save(frequency);
  write_model(pool, output,
              {.options = options,
               .data = data,
               .fit = fit,
               .events = events,
               .event_histories = fit.event_histories,
               .info = {.chosen_on = "fixed", .all_rows = true, .epochs = 1},
               .run_log = {},
               .frequency = frequency.bytes()});
  const auto lineage = from ? from->next() : Lineage{.full_rows = fit.events.size()};
  write_state(output, events, fit.event_histories, lineage, trainer, data.item_table ? &*data.item_table : nullptr,
              latest_events);
  return learnt;
}

}  // namespace pagoda::train
