#include "evaluate/baselines.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/error.h"
#include "core/progress.h"
#include "evaluate/comparison_table.h"

namespace pagoda::evaluate {

namespace {

std::vector<uint32_t> items_by_count(std::span<const uint32_t> counts) {
  std::vector<uint32_t> order(counts.size());
  std::iota(order.begin(), order.end(), 0u);
  std::ranges::stable_sort(order, [&](uint32_t a, uint32_t b) { return counts[a] > counts[b]; });
  return order;
}

// Lists of items that stand in their order: the place is the score.
index::SearchResult lists_of(std::vector<std::vector<uint32_t>> lists) {
  index::SearchResult result;
  for (auto& list : lists) {
    result.items.push(list);
    for (size_t i = 0; i < list.size(); ++i) result.scores.push_back(-static_cast<float>(i));
    list = {};
  }
  return result;
}

// The first k items of `order` less those that are marked.
void take_unmarked(std::span<const uint32_t> order, const std::vector<uint8_t>& marked, size_t k,
                   std::vector<uint32_t>& list) {
  for (size_t i = 0; i < order.size() && list.size() < k; ++i)
    if (!marked[order[i]]) list.push_back(order[i]);
}

// Calls make(user, marks, list) for each user on the pool's threads, with the user's excluded items marked.
template <class Make>
index::SearchResult each_list(ThreadPool& pool, size_t users, size_t items, const math::Ragged<uint32_t>& histories,
                              bool leave_out, const Make& make) {
  constexpr size_t kUsers = 64;  // of a task
  std::vector<std::vector<uint32_t>> lists(users);
  pool.run((users + kUsers - 1) / kUsers, [&](size_t task) {
    std::vector<uint8_t> marked(items);
    for (size_t user = task * kUsers; user < std::min(users, (task + 1) * kUsers); ++user) {
      const auto history = leave_out ? histories[user] : std::span<const uint32_t>();
      for (const uint32_t item : history) marked[item] = 1;
      make(user, marked, lists[user]);
      for (const uint32_t item : history) marked[item] = 0;
    }
  });
  return lists_of(std::move(lists));
}

MakeLists popular_lists(ThreadPool& pool, std::vector<uint32_t> order, bool leave_out) {
  return [&pool, order = std::move(order), leave_out](size_t begin, size_t end, const math::Ragged<uint32_t>& histories,
                                                      size_t k) {
    return each_list(pool, end - begin, order.size(), histories, leave_out,
                     [&](size_t, const std::vector<uint8_t>& marked, std::vector<uint32_t>& list) {
                       take_unmarked(order, marked, k, list);
                     });
  };
}

MakeLists neighbour_lists(ThreadPool& pool, const ItemKnn& knn, std::vector<uint32_t> order, bool leave_out) {
  std::vector<uint32_t> place(order.size());  // of each item in `order`
  for (size_t i = 0; i < order.size(); ++i) place[order[i]] = static_cast<uint32_t>(i);
  return [&pool, &knn, order = std::move(order), place = std::move(place), leave_out](
             size_t begin, size_t end, const math::Ragged<uint32_t>& histories, size_t k) {
    constexpr size_t kTasks = 64;
    const size_t users = end - begin, tasks = std::min(kTasks, users);
    std::vector<std::vector<uint32_t>> lists(users);
    pool.run(tasks, [&](size_t task) {
      std::vector<double> scores(order.size());
      std::vector<uint8_t> marked(order.size());
      std::vector<uint32_t> touched;
      for (size_t user = task; user < users; user += tasks) {
        touched.clear();
        knn.add_scores(knn.latest(histories[user]), scores, touched);
        if (leave_out)
          for (const uint32_t item : histories[user]) marked[item] = 1;
        auto& list = lists[user];
        for (const uint32_t item : touched)
          if (!marked[item]) list.push_back(item);
        const size_t kept = std::min(k, list.size());
        std::partial_sort(list.begin(), list.begin() + static_cast<std::ptrdiff_t>(kept), list.end(),
                          [&](uint32_t a, uint32_t b) {
                            return scores[a] != scores[b] ? scores[a] > scores[b] : place[a] < place[b];
                          });
        list.resize(kept);
        for (const uint32_t item : list) marked[item] = 1;
        take_unmarked(order, marked, k, list);
        for (const uint32_t item : list) marked[item] = 0;
        for (const uint32_t item : histories[user]) marked[item] = 0;
        for (const uint32_t item : touched) scores[item] = 0;
      }
    });
    return lists_of(std::move(lists));
  };
}

}  // namespace

std::optional<RecentRows> newest_tenth(std::span<const uint32_t> items, std::span<const int64_t> times_us,
                                       size_t catalogue) {
  if (times_us.empty()) return std::nullopt;
  std::vector<int64_t> times(times_us.begin(), times_us.end());
  const auto wanted = static_cast<std::ptrdiff_t>(std::max<size_t>(1, times.size() / 10));
  std::nth_element(times.begin(), times.end() - wanted, times.end());
  RecentRows recent{.counts = std::vector<uint32_t>(catalogue), .rows = 0, .first_us = times[times.size() - wanted]};
  if (recent.first_us == *std::ranges::min_element(times_us)) return std::nullopt;
  recent.last_us = *std::ranges::max_element(times_us);
  for (size_t row = 0; row < items.size(); ++row) {
    if (times_us[row] < recent.first_us) continue;
    ++recent.counts[items[row]];
    ++recent.rows;
  }
  return recent;
}

Intervals bootstrap_intervals(ThreadPool& pool, const UserMetrics& metrics, const UserMetrics* less) {
  constexpr size_t kMostGroups = 5000;
  const size_t ks = metrics.recall.size(), columns = kMetricNames.size() * ks;
  const size_t users = ks == 0 ? 0 : metrics.recall[0].size(),
               size = std::max<size_t>(1, (users + kMostGroups - 1) / kMostGroups);
  const size_t groups = (users + size - 1) / size;
  std::vector<double> rows(groups * columns);
  for (size_t m = 0; m < kMetricNames.size(); ++m)
    for (size_t k = 0; k < ks; ++k) {
      const auto& values = (*metrics.all()[m])[k];
      for (size_t group = 0; group < groups; ++group) {
        double sum = 0;
        const size_t end = std::min(users, (group + 1) * size);
        for (size_t user = group * size; user < end; ++user)
          sum += values[user] - (less ? (*less->all()[m])[k][user] : 0.0);
        rows[group * columns + m * ks + k] = sum / static_cast<double>(end - group * size);
      }
    }
  Intervals intervals;
  if (columns == 0) return intervals;
  const auto found =
      math::bootstrap_means(pool, rows, columns, {.resamples = 1000, .confidence = Baselines::kConfidence});
  for (size_t m = 0; m < kMetricNames.size(); ++m)
    intervals.all()[m]->assign(found.begin() + static_cast<std::ptrdiff_t>(m * ks),
                               found.begin() + static_cast<std::ptrdiff_t>((m + 1) * ks));
  return intervals;
}

Baselines judge_baselines(ThreadPool& pool, const BaselineInput& input) {
  Baselines out;
  const auto& popularity = *input.popularity;
  const size_t items = popularity.items();
  const bool leave_out = input.judged.repeats == dataset::Repeats::miss;
  const auto judge = [&](std::string name, std::string about, const MakeLists& lists) {
    UserMetrics users;
    Baseline one{.name = std::move(name), .about = std::move(about), .report = {}, .intervals = {}, .differences = {}};
    one.report = rank_lists(lists, *input.states, input.judged, input.ks, popularity, nullptr, &users);
    if (input.model) {
      one.intervals = bootstrap_intervals(pool, users);
      one.differences = bootstrap_intervals(pool, *input.model, &users);
    }
    out.judged.push_back(std::move(one));
  };
  if (input.towers) judge("towers", "without the neighbours", input.towers);
  uint64_t rows = 0;
  for (const uint32_t count : popularity.counts()) rows += count;
  const auto by_popularity = items_by_count(popularity.counts());
  judge("popularity", fmt::format("of {} training rows", human_count(static_cast<double>(rows))),
        popular_lists(pool, by_popularity, leave_out));
  if (input.recent)
    judge("recent_popularity",
          fmt::format("of the newest tenth of them, {} rows from {} to {}",
                      human_count(static_cast<double>(input.recent->rows)),
                      columns::format_time_us(input.recent->first_us), columns::format_time_us(input.recent->last_us)),
          popular_lists(pool, items_by_count(input.recent->counts), leave_out));
  else
    out.left_out.emplace_back("recent_popularity", input.why_no_recent);

  const auto& knn = input.knn;
  double work = 0;
  for (const uint32_t user : input.judged.users)
    work +=
        static_cast<double>(knn.nearest.neighbours) *
        static_cast<double>(std::min(knn.nearest.longest_history, std::as_const(input.states->histories)[user].size()));
  if (ItemKnn::bytes(items, knn) > knn.most_bytes) {
    out.left_out.emplace_back("item_knn", fmt::format("its neighbours of {} items would take {:.1f} GB", items,
                                                      ItemKnn::bytes(items, knn) / 1e9));
  } else if (work > input.most_work) {
    out.left_out.emplace_back("item_knn", fmt::format("{} users with such histories would take minutes",
                                                      human_count(static_cast<double>(input.judged.users.size()))));
  } else {
    const ItemKnn neighbours(pool, *input.histories, items, knn);
    judge("item_knn",
          fmt::format("{} neighbours of an item, {}", knn.nearest.neighbours,
                      neighbours.sampled_users() == neighbours.users()
                          ? fmt::format("from {} users", human_count(static_cast<double>(neighbours.users())))
                          : fmt::format("from a sample of {} of {} users",
                                        human_count(static_cast<double>(neighbours.sampled_users())),
                                        human_count(static_cast<double>(neighbours.users())))),
          neighbour_lists(pool, neighbours, by_popularity, leave_out));
  }
  return out;
}

RankingReport rank_by_popularity(ThreadPool& pool, const model::UserStates& states, const EvaluationInput& judged,
                                 const std::vector<int64_t>& ks, const ItemPopularity& popularity) {
  return rank_lists(popular_lists(pool, items_by_count(popularity.counts()), judged.repeats == dataset::Repeats::miss),
                    states, judged, ks, popularity);
}

std::string doubts_about(const RankingReport& model, const Baselines& baselines, std::string_view metric, size_t k) {
  std::string worse, unsure;
  const double own = model.named(metric)[k];
  for (const auto& baseline : baselines.judged) {
    const double value = baseline.report.named(metric)[k];
    const auto& interval = baseline.differences.named(metric)[k];
    if (!(std::isfinite(own) && std::isfinite(value)) || interval.low > 0) continue;
    auto& list = own <= value ? worse : unsure;
    list += fmt::format("{}{} ({:.4f}, difference {:+.4f}, 95% interval {:+.4f} to {:+.4f})", list.empty() ? "" : ", ",
                        baseline_label(baseline.name), value, own - value, interval.low, interval.high);
  }
  if (worse.empty() && unsure.empty()) return "";
  std::string said = fmt::format("{}@{} of the model is {:.4f} on {} users: ", metric, model.ks[k], own, model.users);
  if (!worse.empty()) said += "no better than " + worse;
  if (!unsure.empty())
    said +=
        (worse.empty() ? "" : "; ") + std::string("perhaps no better than ") + unsure + ", which more users would tell";
  return said;
}

}  // namespace pagoda::evaluate
