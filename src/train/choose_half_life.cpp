#include "train/choose_half_life.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "core/rng.h"
#include "dataset/half_life.h"
#include "evaluate/baselines.h"

namespace pagoda::train {

namespace {

constexpr size_t kEnoughUsers = 5000;  // tell popularity and item-kNN apart

struct Recalls {
  std::optional<double> recent_popularity, item_knn;
};

Recalls recalls_of_baselines(ThreadPool& pool, const dataset::Dataset& data, const dataset::Relevant& validation,
                             const dataset::Options& options) {
  const auto events = data.events(false);
  const auto counts = data.item_counts(false);
  const evaluate::ItemPopularity popularity({counts.begin(), counts.end()});
  const auto states = evaluate::user_states(data, events, data.train_end_us);
  std::vector<uint32_t> known;  // rows of `validation` with a history
  for (uint32_t i = 0; i < validation.users.size(); ++i)
    if (!states.histories[data.user_row[validation.users[i]]].empty()) known.push_back(i);
  Rng(options.train.seed, Stream::baselines).shuffle(std::span(known));
  if (known.size() > kEnoughUsers) known.resize(kEnoughUsers);
  std::ranges::sort(known);
  std::vector<uint32_t> users, outside;
  math::Ragged<uint32_t> relevant;
  for (const uint32_t i : known) {
    users.push_back(data.user_row[validation.users[i]]);
    outside.push_back(validation.outside[i]);
    relevant.push(validation.items[i]);
  }
  Recalls recalls;
  if (users.empty()) return recalls;
  const auto baselines = evaluate::judge_baselines(
      pool, {.states = &states,
             .judged = {users, &relevant, outside, options.evaluate.repeats},
             .ks = {options.evaluate.k.front()},
             .popularity = &popularity,
             .recent = evaluate::newest_tenth(events.items.values, events.time_us, popularity.items()),
             .why_no_recent = "",
             .histories = &events.items,
             .model = nullptr,
             .knn = {}});
  for (const auto& one : baselines.judged) {
    if (one.name == "recent_popularity") recalls.recent_popularity = one.report.recall[0];
    if (one.name == "item_knn") recalls.item_knn = one.report.recall[0];
  }
  return recalls;
}

}  // namespace

int64_t choose_half_life(ThreadPool& pool, const dataset::Dataset& data, const dataset::Relevant& validation,
                         const dataset::Options& options, std::string* said) {
  const auto& option = options.train.half_life;
  if (option != "auto" || !data.log.has_time()) return dataset::find_half_life(data, option, said);
  const auto [recent, knn] = recalls_of_baselines(pool, data, validation, options);
  if (!recent || !knn) return dataset::find_half_life(data, option, said);
  const auto compared = fmt::format("recall@{} on validation is {:.4f} by recent popularity, {:.4f} by item-kNN",
                                    options.evaluate.k.front(), *recent, *knn);
  if (*recent <= *knn) {
    *said = fmt::format("rows of every age weigh the same: {}", compared);
    return 0;
  }
  const auto half_life_us = dataset::find_half_life(data, option, said);
  *said += fmt::format("; {}", compared);
  return half_life_us;
}

}  // namespace pagoda::train
