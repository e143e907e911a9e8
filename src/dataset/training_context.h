// What a model is fitted on, and the model.
#pragma once

#include <optional>
#include <vector>

#include "dataset/batcher.h"
#include "dataset/dataset.h"
#include "dataset/options.h"
#include "sampling/positives.h"

namespace pagoda::dataset {

// Encoders, cells, counts and events of one set of training parts (train alone, or with validation), and the towers
// that learn from them. Lists that only some sources of negatives need exist only if the options name such a source.
struct TrainingContext {
  TrainingContext(const Dataset& data, const Options& options, bool with_validation);
  Events events;
  std::vector<bool> repeats;              // which events are no examples, as the user had the item before; empty: none
  std::vector<uint64_t> item_counts;      // per catalogue row: its rows of the log
  std::vector<uint64_t> positive_counts;  // per catalogue row: those that are examples
  sampling::PositiveDownsampling downsampling;
  std::optional<math::Ragged<uint32_t>> user_items;   // per user: its items, rising
  std::optional<math::Ragged<uint32_t>> impressions;  // per user: what it was shown and did not click
  model::Model model;
  features::EncodedUsers user_cells;
  features::EncodedItems item_cells;
  std::vector<uint32_t> id_row_of_item;
};

// What the batches of a training are made from. Borrows all three.
BatchSource batch_source(const Options& options, const Dataset& data, const TrainingContext& fit,
                         int64_t half_life_us = 0);

}  // namespace pagoda::dataset
