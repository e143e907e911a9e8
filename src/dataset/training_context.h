// What a model is fitted on, and the model.
#pragma once

#include <optional>
#include <vector>

#include "dataset/batcher.h"
#include "dataset/dataset.h"
#include "dataset/options.h"
#include "sampling/positives.h"

namespace pagoda::dataset {

struct TrainingContext;

// What a training of the same log goes on from, within one run.
struct LearntBefore {
  const TrainingContext* fit;  // borrowed for the constructor of TrainingContext
  std::vector<bool> rows;      // marks the log's rows that it had
};

// Encoders, cells, counts and events of one set of training parts (train alone, or with validation), and the towers
// that learn from them. Lists that only some sources of negatives need exist only if the options name such a source.
struct TrainingContext {
  // With `before`, encoders are extended from its own (model::CarryOver takes its weights over), and its rows are no
  // examples any more; not together with data.earlier, which does the same for a model of another run.
  TrainingContext(const Dataset& data, const Options& options, bool with_validation,
                  const LearntBefore* before = nullptr);
  Events events;
  std::vector<EventHistory> event_histories;  // per kind of event with one of its own
  std::vector<bool> skipped;                  // which events are no examples (skipped_events()); empty: none
  uint32_t existing_items = 0;                // of the catalogue, before the first step: those that negatives can be
  std::vector<uint64_t> item_counts;          // per catalogue row: its rows of the log
  std::vector<uint64_t> positive_counts;      // per catalogue row: those that are examples
  sampling::PositiveDownsampling downsampling;
  std::optional<math::Ragged<uint32_t>> user_items;   // per user: its items, rising
  std::optional<math::Ragged<uint32_t>> impressions;  // per user: what it was shown and did not click
  model::Model model;
  features::EncodedUsers user_cells;
  features::EncodedItems item_cells;
  std::vector<uint32_t> id_row_of_item;
  // With order = "time": rows of the id table that items get with their first row in the pass; until then item_cells
  // has their hash bucket. Interner::kNone: the item has what it will have. Empty: none waits.
  std::vector<uint32_t> coming_id_rows;

 private:
  void extend_encoders(const model::Model& before, const Dataset& data, const Options& options, bool with_validation,
                       const columns::Interner& items, std::vector<uint64_t> counts);
  void wait_for_first_rows(const Dataset& data, std::span<const uint64_t> known);
};

// What the batches of a training are made from. Borrows all three.
BatchSource batch_source(const Options& options, const Dataset& data, const TrainingContext& fit,
                         int64_t half_life_us = 0);

}  // namespace pagoda::dataset
