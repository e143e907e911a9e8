#include "dataset/training_context.h"

#include <algorithm>

namespace pagoda::dataset {

TrainingContext::TrainingContext(const Dataset& data, const Options& options, bool with_validation)
    : events(data.events(with_validation)), repeats(skipped_repeats(options, events)),
      item_counts(data.item_counts(with_validation)), positive_counts(counts_without(repeats, events, item_counts)),
      downsampling(options.sampling.downsample_positives, positive_counts, options.train.seed) {
  const auto& negatives = options.sampling.negatives;
  if (std::ranges::any_of(negatives, sampling::draws_by_user)) user_items = data.items_of_users(with_validation);
  if (std::ranges::any_of(negatives, [](const auto& n) { return n.source == "impressions"; }))
    impressions = data.impressions_of_users(with_validation);
  const auto dim = static_cast<size_t>(options.towers.model.dim);
  const data::Attributes* items = data.item_table ? &*data.item_table : nullptr;
  const data::Attributes* users = data.user_table ? &*data.user_table : nullptr;
  model.item_encoder = features::ItemEncoder::fit(options.towers.item, dim, data.catalogue, items, item_counts);
  model.user_encoder = features::UserEncoder::fit(
      options.towers.user, dim, data.users, data.user_counts(with_validation), users, data.contexts(with_validation),
      model.item_encoder.id_vocabulary().rows(), model.item_encoder.id_vocabulary().buckets());
  model.towers = model::TwoTowers<float>(options.towers.model, options.towers.user, options.towers.item,
                                         model.user_encoder.layout(), model.item_encoder.layout());
  user_cells = model.user_encoder.cells(data.users, users);
  item_cells = model.item_encoder.cells(data.catalogue, items);
  id_row_of_item.reserve(data.catalogue.size());
  for (uint32_t item = 0; item < data.catalogue.size(); ++item)
    id_row_of_item.push_back(model.item_encoder.id_vocabulary().row(data.catalogue[item]));
}

BatchSource batch_source(const Options& options, const Dataset& data, const TrainingContext& fit,
                         int64_t half_life_us) {
  return {.options = &options.train,
          .data = &data,
          .events = &fit.events,
          .repeats = &fit.repeats,
          .encoder = &fit.model.user_encoder,
          .cells = &fit.user_cells,
          .id_row_of_item = fit.id_row_of_item,
          .downsampling = &fit.downsampling,
          .half_life_us = half_life_us};
}

}  // namespace pagoda::dataset
