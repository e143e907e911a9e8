#include "index/boosted_search.h"

#include <algorithm>

#include "index/block_scores.h"
#include "math/top_k.h"

namespace pagoda::index {
namespace {

// The rows of a list that rises that a search may return, and their boosts.
struct Boosted {
  std::vector<uint32_t> rows;
  std::vector<float> amounts;
};

Boosted boosted_of(const SearchOptions& options, size_t query) {
  const auto& [rows, amounts] = *options.boosts;
  std::vector<uint32_t> excluded;
  if (options.excluded) excluded.assign((*options.excluded)[query].begin(), (*options.excluded)[query].end());
  std::ranges::sort(excluded);
  Boosted boosted;
  for (uint64_t i = rows.offsets[query]; i < rows.offsets[query + 1]; ++i) {
    const uint32_t row = rows.values[i];
    if (options.allowed && !options.allowed->has(row)) continue;
    if (std::ranges::binary_search(excluded, row)) continue;
    boosted.rows.push_back(row);
    boosted.amounts.push_back(amounts[i]);
  }
  return boosted;
}

}  // namespace

SearchResult boosted_search(ThreadPool& pool, math::RowsView vectors, math::MatrixView<const float> queries,
                            const SearchOptions& options,
                            const std::function<SearchResult(const SearchOptions&)>& plain_search) {
  auto without = options;
  without.boosts = nullptr;
  const auto plain = plain_search(without);
  const size_t n = queries.rows();
  std::vector<std::vector<uint64_t>> best(n);  // rank keys
  pool.for_chunks(n, 8, [&](size_t begin, size_t end) {
    std::vector<float> scores;
    for (size_t q = begin; q < end; ++q) {
      const auto boosted = boosted_of(options, q);
      scores.resize(boosted.rows.size());
      score_rows(vectors, boosted.rows, queries.row(q), scores.data());
      for (size_t i = 0; i < scores.size(); ++i) scores[i] += boosted.amounts[i];
      auto& keys = best[q];
      const auto items = plain.items[q];
      for (size_t i = 0; i < items.size(); ++i)
        if (!std::ranges::binary_search(boosted.rows, items[i]))
          keys.push_back(math::rank_key(plain.scores[plain.items.offsets[q] + i], items[i]));
      for (size_t i = 0; i < scores.size(); ++i)
        if (scores[i] >= options.min_score && scores[i] > -std::numeric_limits<float>::infinity())
          keys.push_back(math::rank_key(scores[i], boosted.rows[i]));
      const size_t k = std::min(options.k, keys.size());
      std::ranges::nth_element(keys, keys.begin() + static_cast<std::ptrdiff_t>(k), std::ranges::greater());
      keys.resize(k);
      math::sort_keys(keys);
    }
  });
  SearchResult result;
  for (const auto& keys : best) {
    for (const uint64_t key : keys) {
      result.items.values.push_back(math::row_of_key(key));
      result.scores.push_back(math::score_of_key(key));
    }
    result.items.close();
  }
  if (options.explain)
    for (size_t q = 0; q < n; ++q) options.explain->queries[q].boosted = options.boosts->rows[q].size();
  return result;
}

}  // namespace pagoda::index
