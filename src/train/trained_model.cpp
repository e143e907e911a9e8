#include "train/trained_model.h"

#include <pagoda/version.h>

#include <utility>

#include "evaluate/baselines.h"
#include "evaluate/evaluation.h"
#include "model/unknown_user.h"

namespace pagoda::train {

void write_model(ThreadPool& pool, const std::string& path, TrainedModel trained) {
  const auto& options = trained.options;
  const auto& data = trained.data;
  auto& fit = trained.fit;
  const auto vectors =
      model::item_vectors(pool, fit.model, fit.item_cells, trained.info.refit ? data.end_us : data.train_end_us);
  const auto newest = evaluate::newest_tenth(fit.events.items.values, fit.events.time_us, fit.item_counts.size());
  fit.model.unknown_user = model::fit_unknown_user(
      vectors.view(), model::unknown_user_weights(fit.item_counts, newest ? newest->counts : std::vector<uint32_t>{}),
      options.towers.model.normalise);
  const auto states = evaluate::user_states(data, trained.events, data.end_us, trained.event_histories);
  auto info = std::move(trained.info);
  info.version = std::string(version());
  info.towers = true;
  info.dim = vectors.cols();
  info.items = vectors.rows();
  info.users = data.users.size();
  info.training_rows = fit.events.size();
  if (data.earlier)
    for (const uint64_t count : data.earlier->counts_let_go) info.training_rows += count;
  info.moment_us = data.end_us;
  info.uses_order = evaluate::uses_order(options, states);
  info.times = data.log.times;
  info.event_kinds = !fit.model.user_encoder.event_kinds().empty();
  info.given_vectors = fit.model.item_encoder.reads_vectors() || fit.model.user_encoder.reads_vectors();
  info.integer_users = data.log.integer_users;
  info.integer_items = data.log.integer_items;
  model::BundleContent content;
  content.options = options.towers;
  content.info = std::move(info);
  content.judged = std::move(trained.judged);
  content.metrics = std::move(trained.metrics);
  content.config = dataset::to_toml(options, false);
  content.run_log = std::move(trained.run_log);
  content.frequency = std::move(trained.frequency);
  content.model = &fit.model;
  content.user_ids = &data.users;
  content.user_cells = &fit.user_cells;
  content.user_states = &states;
  content.item_ids = &data.catalogue;
  content.item_counts = fit.item_counts;
  content.item_vectors = vectors;
  content.item_attributes = data.item_table ? &*data.item_table : nullptr;
  content.neighbours = trained.neighbours;
  model::write_bundle(path, content);
}

}  // namespace pagoda::train
