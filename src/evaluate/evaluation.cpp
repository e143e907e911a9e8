#include "evaluate/evaluation.h"

#include <algorithm>

#include "evaluate/judged_requests.h"

namespace pagoda::evaluate {

model::UserStates user_states(const dataset::Dataset& data, const dataset::Events& events, int64_t moment_us,
                              const std::vector<dataset::EventHistory>& event_histories) {
  model::UserStates s;
  s.histories = events.items;
  for (const auto& history : event_histories) {
    s.event_names.push_back(history.kind);
    s.event_histories.push_back(history.items);
    for (const int64_t time : history.time_us) s.events_until_us = std::max(s.events_until_us, time);
  }
  s.moment_us = moment_us;
  s.context_names = data.log.context_names;
  s.context_values = data.log.context_values;
  for (const auto& column : data.log.context) {
    auto& latest = s.context.emplace_back(events.items.size(), columns::Interner::kNone);
    for (size_t u = 0; u < events.items.size(); ++u)
      if (!events.items[u].empty()) latest[u] = column[events.log_row[events.items.offsets[u + 1] - 1]];
  }
  return s;
}

bool uses_order(const dataset::Options& options, const model::UserStates& states) {
  const auto& h = options.towers.user.history;
  if (options.train.rows == dataset::TrainingRows::user && options.train.target_recency > 0) return true;
  if (h.last == 0) return false;
  if (h.recency > 0 || features::is_learnt(h.encoder)) return true;
  if (options.train.rows == dataset::TrainingRows::interaction && options.train.history == dataset::HistoryMode::before)
    return true;
  if (options.train.rows == dataset::TrainingRows::user && options.train.targets == dataset::Targets::window)
    return true;
  for (size_t u = 0; u < states.size(); ++u)
    if (states.histories[u].size() > static_cast<size_t>(h.last)) return true;
  return false;
}

namespace {

double mean_of_column(math::MatrixView<const float> m, size_t column) {
  double sum = 0;
  for (size_t row = 0; row < m.rows(); ++row) sum += m[row][column];
  return sum / static_cast<double>(m.rows());
}

}  // namespace

RankingReport rank_lists(const MakeLists& make_lists, const model::UserStates& states, const EvaluationInput& judged,
                         const std::vector<int64_t>& ks, const ItemPopularity& popularity, const ItemGroups* ages,
                         UserMetrics* kept) {
  constexpr size_t kBlock = 4096;  // users whose lists are held at once
  std::vector<size_t> sorted(ks.begin(), ks.end());
  std::sort(sorted.begin(), sorted.end());
  sorted.erase(std::unique(sorted.begin(), sorted.end()), sorted.end());
  RankingAccumulator accumulator(sorted, popularity, ages);
  if (kept) accumulator.keep_users(kept);
  for (size_t begin = 0; begin < judged.users.size(); begin += kBlock) {
    const size_t end = std::min(judged.users.size(), begin + kBlock);
    math::Ragged<uint32_t> histories;
    for (size_t i = begin; i < end; ++i)
      histories.push(judged.users[i] == columns::Interner::kNone ? std::span<const uint32_t>()
                                                                 : states.histories[judged.users[i]]);
    const auto found = make_lists(begin, end, histories, sorted.back() + 1);
    for (size_t i = begin; i < end; ++i) {
      const auto relevant = (*judged.relevant)[i];
      std::vector<uint32_t> again;  // relevant items that stand in the history
      for (const uint32_t item : std::as_const(histories)[i - begin])
        if (std::ranges::binary_search(relevant, item)) again.push_back(item);
      std::ranges::sort(again);
      again.erase(std::unique(again.begin(), again.end()), again.end());
      accumulator.add(
          {.items = found.items[i - begin],
           .scores = std::span(found.scores).subspan(found.items.offsets[i - begin], found.items[i - begin].size()),
           .relevant = relevant,
           .relevant_outside = judged.relevant_outside[i],
           .history = std::as_const(histories)[i - begin].size(),
           .relevant_in_history = again.size()});
    }
  }
  return accumulator.report();
}

MakeLists lists_of_index(ThreadPool& pool, const index::Index& index, math::MatrixView<const float> user_vectors,
                         const EvaluationInput& judged) {
  return [&pool, &index, user_vectors, leave_out = judged.repeats == dataset::Repeats::miss,
          neighbours = judged.neighbours](size_t begin, size_t end, const math::Ragged<uint32_t>& histories, size_t k) {
    index::Boosts boosts;
    if (neighbours) boosts = neighbours->boosts(pool, histories);
    return index.search(
        pool, user_vectors.slice_rows(begin, end),
        {.k = k, .excluded = leave_out ? &histories : nullptr, .recall = 1, .boosts = neighbours ? &boosts : nullptr});
  };
}

RankingReport rank_users(ThreadPool& pool, const index::Index& index, math::MatrixView<const float> user_vectors,
                         const model::UserStates& states, const EvaluationInput& judged, const std::vector<int64_t>& ks,
                         const ItemPopularity& popularity, const ItemGroups* ages, UserMetrics* kept) {
  return rank_lists(lists_of_index(pool, index, user_vectors, judged), states, judged, ks, popularity, ages, kept);
}

Validation::Validation(ThreadPool& pool, const dataset::Dataset& data, const dataset::TrainingContext& fit,
                       math::MatrixView<const float> item_vectors, const dataset::Relevant& relevant,
                       const dataset::Options& options, const std::string& choose_by)
    : pool_(pool), choose_(parse_metric(choose_by)), choose_by_(choose_by), ks_(options.evaluate.k),
      repeats_(options.evaluate.repeats),
      states_(user_states(data, fit.events, data.train_end_us, fit.event_histories)), item_vectors_(item_vectors),
      index_(index::make_exact_index(item_vectors)), popularity_({fit.item_counts.begin(), fit.item_counts.end()}) {
  ks_.push_back(choose_.k);
  // Users of whom training has seen nothing are judged by `evaluate`, not when a model is chosen.
  const auto& names = fit.model.user_encoder.context_names();
  const auto requests = options.evaluate.context == dataset::JudgedContext::request
                            ? JudgedRequests(data.log, relevant.first_row)
                            : JudgedRequests();
  std::vector<model::UserRequest> asked;
  for (size_t i = 0; i < relevant.users.size(); ++i) {
    const auto user = data.user_row[relevant.users[i]];
    if (states_.histories[user].empty()) continue;
    users_.push_back(user);
    outside_.push_back(relevant.outside[i]);
    items_.push(relevant.items[i]);
    auto& request = asked.emplace_back();
    request.user = request.cell = user;
    request.moment_us = states_.moment_us;
    requests.put(i, names, request);
  }
  vectors_ = model::request_vectors(pool, fit.model, fit.user_cells, states_, fit.id_row_of_item, asked);
}

NamedMetrics Validation::metrics(const model::Neighbours* neighbours, std::vector<double>* users) const {
  UserMetrics kept;
  const auto report = rank_users(pool_, *index_, vectors_, states_,
                                 {.users = users_,
                                  .relevant = &items_,
                                  .relevant_outside = outside_,
                                  .repeats = repeats_,
                                  .neighbours = neighbours},
                                 ks_, popularity_, nullptr, users ? &kept : nullptr);
  if (users) {
    const auto k = std::ranges::find(report.ks, static_cast<size_t>(choose_.k)) - report.ks.begin();
    *users = kept.named(choose_.kind)[static_cast<size_t>(k)];
  }
  NamedMetrics out;
  for (size_t i = 0; i < report.ks.size(); ++i) {
    const auto k = std::to_string(report.ks[i]);
    out.emplace_back("recall@" + k, report.recall[i]);
    out.emplace_back("ndcg@" + k, report.ndcg[i]);
    if (report.ks[i] == static_cast<size_t>(choose_.k) && choose_.kind != "recall" && choose_.kind != "ndcg")
      out.emplace_back(choose_by_, report.named(choose_.kind)[i]);
  }
  return out;
}

double Validation::rise_of_best(size_t k) const {
  math::Ragged<uint32_t> histories;
  for (const uint32_t user : users_) histories.push(states_.histories[user]);
  const auto found = index_->search(pool_, vectors_, {.k = k, .excluded = &histories});
  double sum = 0;
  for (const float score : found.scores) sum += score;
  if (found.scores.empty()) return 0;
  // The mean of all scores is the product of the mean vectors.
  double of_all = 0;
  for (size_t d = 0; d < item_vectors_.cols(); ++d)
    of_all += mean_of_column(vectors_, d) * mean_of_column(item_vectors_, d);
  return sum / static_cast<double>(found.scores.size()) - of_all;
}

NamedMetrics validation_metrics(ThreadPool& pool, const dataset::Dataset& data, const dataset::TrainingContext& fit,
                                math::MatrixView<const float> item_vectors, const dataset::Relevant& relevant,
                                const dataset::Options& options, const std::string& choose_by,
                                std::vector<double>* users) {
  return Validation(pool, data, fit, item_vectors, relevant, options, choose_by).metrics(nullptr, users);
}

}  // namespace pagoda::evaluate
