#include "index/index.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <optional>
#include <unordered_map>
#include <utility>

#include "core/error.h"

namespace pagoda::index {
namespace {

struct Ranking {
  std::vector<uint32_t> items;
  std::vector<float> scores;
  size_t size() const { return items.size(); }
  void push(uint32_t item, float score) {
    items.push_back(item);
    scores.push_back(score);
  }
};

// Merges two rankings that have no item in common.
Ranking merged(const Ranking& a, const Ranking& b) {
  Ranking both;
  for (size_t i = 0, j = 0; i < a.size() || j < b.size();) {
    const bool of_a =
        j == b.size() || (i < a.size() && std::pair(-a.scores[i], a.items[i]) < std::pair(-b.scores[j], b.items[j]));
    if (of_a) {
      both.push(a.items[i], a.scores[i]);
      ++i;
    } else {
      both.push(b.items[j], b.scores[j]);
      ++j;
    }
  }
  return both;
}

// Counts how many items of each group a list has.
class Taken {
 public:
  explicit Taken(const Quota& quota) : quota_(quota) {}
  bool add(uint32_t item) {
    const uint32_t group = quota_.group(item);
    if (group == Quota::kNoGroup) return true;
    auto& taken = of_group_[group];
    if (taken >= quota_.max) return false;
    ++taken;
    return true;
  }
  std::vector<uint32_t> full_groups() const {
    std::vector<uint32_t> full;
    for (const auto& [group, taken] : of_group_)
      if (taken >= quota_.max) full.push_back(group);
    return full;
  }

 private:
  const Quota& quota_;
  std::unordered_map<uint32_t, uint32_t> of_group_;
};

// The items that a search may still return: not those of groups that are full.
class OpenItems {
 public:
  OpenItems(const Quota& quota, const math::ItemSet* allowed)
      : quota_(quota), open_(allowed ? *allowed : math::ItemSet(quota.items(), true)) {}

  bool is_closed(uint32_t item) const {
    const uint32_t group = quota_.group(item);
    return group < closed_.size() && closed_[group];
  }
  void close(std::span<const uint32_t> groups) {
    std::vector<bool> fresh;
    for (const uint32_t group : groups) {
      if (group < closed_.size() && closed_[group]) continue;
      closed_.resize(std::max<size_t>(closed_.size(), size_t{group} + 1));
      closed_[group] = true;
      fresh.resize(closed_.size());
      fresh[group] = true;
      if (quota_.members && group < quota_.members->size())
        for (const uint32_t row : (*quota_.members)[group]) open_.remove(row);
    }
    const auto rows = static_cast<uint32_t>(quota_.items());
    for (auto row = static_cast<uint32_t>(quota_.members ? quota_.group_of.size() : 0); row < rows; ++row)
      if (const uint32_t group = quota_.group(row); group < fresh.size() && fresh[group]) open_.remove(row);
  }
  const math::ItemSet& set() const { return open_; }

 private:
  const Quota& quota_;
  math::ItemSet open_;
  std::vector<bool> closed_;
};

void add_up(const SearchExplain& part, size_t query, SearchExplain& sum) {
  sum.plan = part.plan;
  sum.add_times(part);
  sum.queries.resize(query + 1);
  for (const auto& of_query : part.queries) sum.queries[query] += of_query;
}

// The search scales a query to about length 1, so that its products with items stay within the range of floats. Returns
// how many times it must be halved for that; scaling by a power of two changes no digit. 0: it is near enough, or not
// finite.
int halvings(std::span<const float> query) {
  constexpr int kNear = 10;
  float largest = 0;
  for (const float x : query) largest = std::max(largest, std::abs(x));
  if (!(largest > 0) || !std::isfinite(largest)) return 0;
  const int exponent = std::ilogb(largest);
  return std::abs(exponent) > kNear ? exponent : 0;
}

float times_power_of_two(float x, int exponent) {
  constexpr float kMax = std::numeric_limits<float>::max();
  const float scaled = std::ldexp(x, exponent);
  return std::isinf(scaled) && std::isfinite(x) ? std::copysign(kMax, x) : scaled;
}

}  // namespace

math::Ragged<uint32_t> members_of_groups(std::span<const uint32_t> group_of) {
  math::Ragged<uint32_t> members;
  for (const uint32_t group : group_of) {
    if (group == Quota::kNoGroup) continue;
    members.offsets.resize(std::max<size_t>(members.offsets.size(), size_t{group} + 2));
    ++members.offsets[size_t{group} + 1];
  }
  std::partial_sum(members.offsets.begin(), members.offsets.end(), members.offsets.begin());
  members.values.resize(members.offsets.back());
  auto next = members.offsets;
  for (uint32_t row = 0; row < group_of.size(); ++row)
    if (group_of[row] != Quota::kNoGroup) members.values[next[group_of[row]]++] = row;
  return members;
}

Boosts boosts_of(const Boosts& all, size_t begin, size_t end) {
  Boosts some;
  for (size_t q = begin; q < end; ++q) some.rows.push(all.rows[q]);
  some.amounts.assign(all.amounts.begin() + static_cast<std::ptrdiff_t>(all.rows.offsets[begin]),
                      all.amounts.begin() + static_cast<std::ptrdiff_t>(all.rows.offsets[end]));
  return some;
}

SearchResult Index::search(ThreadPool& pool, math::MatrixView<const float> queries,
                           const SearchOptions& options) const {
  check(queries.rows() == 0 || queries.cols() == dim(), "queries are as wide as the items");
  check(!options.allowed || options.allowed->items() == items(), "the filter covers this catalogue");
  check(!options.excluded || options.excluded->size() == queries.rows(), "there is one list of exclusions per query");
  check(!std::isnan(options.min_score), "min_score is a number");
  check(!options.quota || options.quota->items() == items(), "a quota knows each item's group");
  check(!options.boosts || options.boosts->rows.size() == queries.rows(), "there is one list of boosts per query");
  if (options.explain) {
    *options.explain = {};
    if (options.allowed && items() > 0)
      options.explain->selectivity = static_cast<double>(options.allowed->count()) / static_cast<double>(items());
  }
  std::vector<int> halved(queries.rows());
  for (size_t q = 0; q < queries.rows(); ++q) halved[q] = halvings(queries.row(q));
  if (std::ranges::all_of(halved, [](int n) { return n == 0; })) return search_near(pool, queries, options);

  math::Matrix<float> near(queries.rows(), queries.cols());
  for (size_t q = 0; q < queries.rows(); ++q)
    std::ranges::transform(queries.row(q), near[q], [&](float x) { return std::ldexp(x, -halved[q]); });
  SearchResult result;
  if (options.min_score == -std::numeric_limits<float>::infinity() && !options.boosts) {
    result = search_near(pool, near, options);
  } else {
    Boosts boosts;
    const auto with_limit = [&](size_t q, SearchOptions& of_query) {
      of_query.min_score = std::ldexp(options.min_score, -halved[q]);
      if (!of_query.boosts) return;
      boosts = *of_query.boosts;
      for (float& amount : boosts.amounts) amount = std::ldexp(amount, -halved[q]);
      of_query.boosts = &boosts;
    };
    result = one_by_one(pool, near, options, with_limit);
  }
  for (size_t q = 0; q < queries.rows(); ++q)
    for (uint64_t i = result.items.offsets[q]; i < result.items.offsets[q + 1]; ++i)
      result.scores[i] = times_power_of_two(result.scores[i], halved[q]);
  return result;
}

SearchResult Index::search_near(ThreadPool& pool, math::MatrixView<const float> queries,
                                const SearchOptions& options) const {
  if (!options.quota) return best(pool, queries, options);
  return one_by_one(pool, queries, options, [](size_t, SearchOptions&) {});
}

SearchResult Index::one_by_one(ThreadPool& pool, math::MatrixView<const float> queries, const SearchOptions& options,
                               const std::function<void(size_t, SearchOptions&)>& adapt) const {
  SearchResult result;
  for (size_t q = 0; q < queries.rows(); ++q) {
    math::Ragged<uint32_t> excluded;
    auto of_query = options;
    if (options.excluded) {
      excluded.push((*options.excluded)[q]);
      of_query.excluded = &excluded;
    }
    Boosts boosts;
    if (options.boosts) {
      boosts = boosts_of(*options.boosts, q, q + 1);
      of_query.boosts = &boosts;
    }
    SearchExplain explain;
    if (options.explain) {
      explain.selectivity = options.explain->selectivity;
      of_query.explain = &explain;
    }
    adapt(q, of_query);
    const auto query = queries.slice_rows(q, q + 1);
    const auto found = options.quota ? best_within_quota(pool, query, of_query) : best(pool, query, of_query);
    if (options.explain) add_up(explain, q, *options.explain);
    result.items.push(std::span<const uint32_t>(found.items.values));
    result.scores.insert(result.scores.end(), found.scores.begin(), found.scores.end());
  }
  return result;
}

// Searches for longer rankings until the quota leaves k items or the ranking ends. Each time it leaves out the groups
// that are full, so the search ends even where a catalogue of few groups cannot fill the list.
SearchResult Index::best_within_quota(ThreadPool& pool, math::MatrixView<const float> query,
                                      const SearchOptions& options) const {
  const auto& quota = *options.quota;
  auto longer = options;
  longer.quota = nullptr;
  longer.k = std::min(items(), 2 * options.k);
  SearchExplain explain;
  if (options.explain) longer.explain = &explain;
  std::optional<OpenItems> open;
  Ranking kept;  // items of groups that are full
  for (;;) {
    if (options.explain) explain = {.plan = {}, .selectivity = options.explain->selectivity, .queries = {}};
    auto found = best(pool, query, longer);
    if (options.explain) add_up(explain, 0, *options.explain);
    const bool more = found.items.values.size() == longer.k && longer.k < items();
    SearchResult list;
    Taken taken(quota);
    const auto ranking = merged(kept, {std::move(found.items.values), std::move(found.scores)});
    for (size_t i = 0; i < ranking.size() && list.scores.size() < options.k; ++i)
      if (taken.add(ranking.items[i])) {
        list.items.values.push_back(ranking.items[i]);
        list.scores.push_back(ranking.scores[i]);
      }
    if (list.scores.size() == options.k || !more) {
      list.items.close();
      return list;
    }
    if (!open) open.emplace(quota, options.allowed);
    open->close(taken.full_groups());
    kept = {};
    for (size_t i = 0; i < list.scores.size(); ++i)
      if (open->is_closed(list.items.values[i])) kept.push(list.items.values[i], list.scores[i]);
    longer.allowed = &open->set();
    longer.k = std::min(items(), 4 * longer.k);
  }
}

}  // namespace pagoda::index
