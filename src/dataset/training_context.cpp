#include "dataset/training_context.h"

#include <algorithm>
#include <functional>
#include <numeric>

#include "core/log.h"

namespace pagoda::dataset {

namespace {

// The catalogue by the first training row of each item, items without one last: in a pass in order of time, rows of the
// id table are given as items come, and are the same if the log comes in pieces.
struct ItemsAsTheyCome {
  columns::Interner ids;
  std::vector<uint64_t> counts;
};

ItemsAsTheyCome items_as_they_come(const Dataset& data, const Events& events, std::span<const uint64_t> counts) {
  std::vector<uint32_t> first(data.catalogue.size(), columns::Interner::kNone), order(data.catalogue.size());
  for (size_t e = 0; e < events.size(); ++e) {
    auto& row = first[events.items.values[e]];
    row = std::min(row, events.log_row[e]);
  }
  std::iota(order.begin(), order.end(), 0u);
  std::ranges::stable_sort(order, {}, [&](uint32_t item) { return first[item]; });
  ItemsAsTheyCome out;
  for (const uint32_t item : order) {
    out.ids.add(data.catalogue[item]);
    out.counts.push_back(counts[item]);
  }
  return out;
}

}  // namespace

TrainingContext::TrainingContext(const Dataset& data, const Options& options, bool with_validation,
                                 const LearntBefore* before)
    : events(data.events(with_validation)), event_histories(data.event_histories(with_validation)),
      skipped(skipped_events(options, events, before ? before->rows : data.rows_of_earlier())),
      existing_items(options.train.order == Order::time ? data.first_items : data.catalogue.size()),
      item_counts(data.item_counts(with_validation)),
      positive_counts(example_counts(skipped, events, item_counts.size())),
      downsampling(options.sampling.downsample_positives, positive_counts, options.train.seed) {
  check(!before || !data.earlier, "a training goes on from one other");
  const auto& negatives = options.sampling.negatives;
  if (std::ranges::any_of(negatives, sampling::draws_by_user)) user_items = data.items_of_users(with_validation);
  if (std::ranges::any_of(negatives, [](const auto& n) { return n.source == "impressions"; }))
    impressions = data.impressions_of_users(with_validation);
  const auto dim = static_cast<size_t>(options.towers.model.dim);
  const data::Attributes* items = data.item_table ? &*data.item_table : nullptr;
  const data::Attributes* users = data.user_table ? &*data.user_table : nullptr;
  std::optional<ItemsAsTheyCome> coming;
  if (options.train.order == Order::time) coming = items_as_they_come(data, events, item_counts);
  const auto& ids = coming ? coming->ids : data.catalogue;
  // In one pass in order of time, ids get rows as positives come; else an item that was viewed alone gets one, too.
  auto counts = coming ? coming->counts : item_counts;
  for (const auto& history : event_histories)
    for (const uint32_t item : history.items.values) counts[item] += coming ? 0 : 1;
  if (before) {
    extend_encoders(before->fit->model, data, options, with_validation, ids, counts);
  } else if (data.earlier) {
    extend_encoders(data.earlier->member().model, data, options, with_validation, ids, counts);
  } else {
    model.item_encoder = features::ItemEncoder::fit(options.towers.item, dim, ids, items, counts);
    model.user_encoder = features::UserEncoder::fit(
        options.towers.user, dim, data.users, data.user_counts(with_validation), users, data.contexts(with_validation),
        model.item_encoder.id_vocabulary().rows(), model.item_encoder.id_vocabulary().buckets());
  }
  model.towers = model::TwoTowers<float>(options.towers.model, options.towers.user, options.towers.item,
                                         model.user_encoder.layout(), model.item_encoder.layout());
  user_cells = data.earlier ? model.user_encoder.cells(data.users, users, data.earlier->member().model.user_encoder,
                                                       data.earlier->member().user_cells)
                            : model.user_encoder.cells(data.users, users);
  item_cells = model.item_encoder.cells(data.catalogue, items);
  id_row_of_item.reserve(data.catalogue.size());
  for (uint32_t item = 0; item < data.catalogue.size(); ++item)
    id_row_of_item.push_back(model.item_encoder.id_vocabulary().row(data.catalogue[item]));
  if (options.train.order != Order::time) return;
  std::vector<uint64_t> known;  // per item: rows before this pass
  if (before) {
    known.resize(data.catalogue.size());
    for (size_t e = 0; e < events.size(); ++e) known[events.items.values[e]] += before->rows[events.log_row[e]];
    for (uint32_t item = 0; item < known.size(); ++item)
      if (known[item] > 0) existing_items = std::max(existing_items, item + 1);
  }
  wait_for_first_rows(data, data.earlier ? data.earlier->bundle->item_counts() : known);
}

namespace {

// The rows of the ids whose latest event is before a moment. Their counts become 0, so that they do not get rows at
// once.
std::vector<uint32_t> forget(const features::Vocabulary& vocabulary, const columns::Interner& ids,
                             const std::function<int64_t(uint32_t)>& latest_us, int64_t before_us,
                             std::vector<uint64_t>& counts) {
  std::vector<uint32_t> rows;
  for (uint32_t id = 0; id < ids.size(); ++id) {
    const uint32_t row = vocabulary.row(ids[id]);
    if (row >= vocabulary.words() || latest_us(id) >= before_us) continue;
    rows.push_back(row);
    counts[id] = 0;
  }
  return rows;
}

}  // namespace

void TrainingContext::extend_encoders(const model::Model& before, const Dataset& data, const Options& options,
                                      bool with_validation, const columns::Interner& items,
                                      std::vector<uint64_t> counts) {
  model.item_encoder = before.item_encoder;
  model.user_encoder = before.user_encoder;
  auto user_counts = data.user_counts(with_validation);
  if (data.earlier && data.earlier->forget_us > 0) {
    std::vector<int64_t> item_latest(data.catalogue.size(), INT64_MIN), user_latest(data.users.size(), INT64_MIN);
    for (size_t e = 0; e < events.size(); ++e)
      for (auto* latest : {&item_latest[events.items.values[e]], &user_latest[events.user[e]]})
        *latest = std::max(*latest, events.time_us[e]);
    const int64_t before_us = (with_validation ? data.end_us : data.train_end_us) - data.earlier->forget_us;
    const auto item_rows = forget(
        before.item_encoder.id_vocabulary(), items,
        [&](uint32_t item) { return item_latest[data.catalogue.find(items[item])]; }, before_us, counts);
    std::vector<uint32_t> user_rows;
    if (options.towers.user.id.enabled)
      user_rows = forget(
          before.user_encoder.id_vocabulary(), data.users, [&](uint32_t user) { return user_latest[user]; }, before_us,
          user_counts);
    model.item_encoder.let_go(item_rows);
    if (options.towers.user.id.enabled) model.user_encoder.let_go(user_rows);
    log_info("{} items and {} users have no event since {}: their rows are free for new ones", item_rows.size(),
             user_rows.size(), columns::format_time_us(before_us));
  }
  const data::Attributes* item_table = data.item_table ? &*data.item_table : nullptr;
  const data::Attributes* user_table = data.user_table ? &*data.user_table : nullptr;
  model.item_encoder = model.item_encoder.extended(options.towers.item, items, item_table, counts);
  model.user_encoder = model.user_encoder.extended(options.towers.user, data.users, user_counts, user_table,
                                                   data.contexts(with_validation), model.item_encoder.id_vocabulary());
}

void TrainingContext::wait_for_first_rows(const Dataset& data, std::span<const uint64_t> known) {
  const auto& ids = model.item_encoder.id_vocabulary();
  coming_id_rows.assign(data.catalogue.size(), columns::Interner::kNone);
  for (uint32_t item = 0; item < data.catalogue.size(); ++item) {
    if (id_row_of_item[item] >= ids.words() || (item < known.size() && known[item] > 0)) continue;
    coming_id_rows[item] = id_row_of_item[item];
    item_cells.id_rows[item] = ids.bucket_row(data.catalogue[item]);
  }
}

BatchSource batch_source(const Options& options, const Dataset& data, const TrainingContext& fit,
                         int64_t half_life_us) {
  return {.options = &options.train,
          .data = &data,
          .events = &fit.events,
          .skipped = &fit.skipped,
          .encoder = &fit.model.user_encoder,
          .cells = &fit.user_cells,
          .id_row_of_item = fit.id_row_of_item,
          .downsampling = &fit.downsampling,
          .half_life_us = half_life_us,
          .event_histories = &fit.event_histories};
}

}  // namespace pagoda::dataset
