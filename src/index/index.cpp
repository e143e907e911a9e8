#include "index/index.h"

#include <cmath>
#include <unordered_map>

#include "core/error.h"

namespace pagoda {
namespace {

// Goes down one ranking and keeps what the quota lets through, up to k.
void take_within(const Quota& quota, size_t k, std::span<const uint32_t> items, std::span<const float> scores,
                 SearchResult& taken) {
  std::unordered_map<uint32_t, uint32_t> of_group;
  const size_t begin = taken.items.values.size();
  for (size_t i = 0; i < items.size() && taken.items.values.size() - begin < k; ++i) {
    const uint32_t group = quota.group(items[i]);
    if (group != Quota::kNoGroup && of_group[group]++ >= quota.most) continue;
    taken.items.values.push_back(items[i]);
    taken.scores.push_back(scores[i]);
  }
  taken.items.close();
}

}  // namespace

SearchResult Index::search(ThreadPool& pool, MatrixView<const float> queries, const SearchOptions& options) const {
  check(queries.rows() == 0 || queries.cols() == dim(), "queries are as wide as the items");
  check(!options.allowed || options.allowed->items() == items(), "the filter is of this catalogue");
  check(!options.excluded || options.excluded->size() == queries.rows(), "exclusions: one list a query");
  check(!std::isnan(options.min_score), "min_score is a number");
  check(!options.quota || options.quota->items() == items(), "a quota knows each item's group");
  if (options.explain) {
    *options.explain = {};
    if (options.allowed && items() > 0)
      options.explain->selectivity = static_cast<double>(options.allowed->count()) / static_cast<double>(items());
  }
  if (!options.quota) return best(pool, queries, options);

  // A longer ranking is asked for as long as the quota leaves a list short and the ranking goes on.
  SearchResult result;
  for (size_t q = 0; q < queries.rows(); ++q) {
    Ragged<uint32_t> excluded;
    auto longer = options;
    longer.quota = nullptr, longer.k = 2 * options.k;
    if (options.excluded) excluded.push((*options.excluded)[q]), longer.excluded = &excluded;
    SearchExplain explain;
    if (options.explain) longer.explain = &explain, explain.selectivity = options.explain->selectivity;
    for (;;) {
      const auto found = best(pool, queries.slice_rows(q, q + 1), longer);
      SearchResult taken;
      take_within(*options.quota, options.k, found.items.values, found.scores, taken);
      if (options.explain) {
        auto& sum = *options.explain;
        sum.plan = explain.plan;
        sum.centres_s += explain.centres_s, sum.scan_s += explain.scan_s, sum.rerank_s += explain.rerank_s;
        sum.queries.resize(q + 1);
        for (const auto& part : explain.queries) {
          sum.queries[q].lists_probed += part.lists_probed;
          sum.queries[q].vectors_scored += part.vectors_scored;
          sum.queries[q].vectors_reranked += part.vectors_reranked;
        }
      }
      if (taken.items.values.size() < options.k && found.items.values.size() == longer.k && longer.k < items()) {
        longer.k = std::min(items(), 4 * longer.k);
        continue;
      }
      result.items.push(std::span<const uint32_t>(taken.items.values));
      result.scores.insert(result.scores.end(), taken.scores.begin(), taken.scores.end());
      break;
    }
  }
  return result;
}

}  // namespace pagoda
