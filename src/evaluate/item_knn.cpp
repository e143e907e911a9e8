#include "evaluate/item_knn.h"

#include <algorithm>
#include <numeric>
#include <utility>

namespace pagoda::evaluate {

double ItemKnn::bytes(size_t items, const ItemKnnOptions& options) {
  return 2.0 * static_cast<double>(sizeof(model::Neighbour)) * static_cast<double>(items) *
         static_cast<double>(std::min(options.nearest.neighbours, items));
}

ItemKnn::ItemKnn(ThreadPool& pool, const math::Ragged<uint32_t>& histories, size_t items, const ItemKnnOptions& options)
    : options_(options), nearest_(model::nearest_items(pool, histories, items, options.nearest)) {
  counts_.offsets.assign(items + 1, 0);
  for (const auto& [other, similarity] : nearest_.of.values) ++counts_.offsets[other + 1];
  std::partial_sum(counts_.offsets.begin(), counts_.offsets.end(), counts_.offsets.begin());
  counts_.values.resize(nearest_.of.values.size());
  std::vector<uint64_t> next(counts_.offsets.begin(), counts_.offsets.end() - 1);
  for (uint32_t item = 0; item < items; ++item)
    for (const auto& [other, similarity] : std::as_const(nearest_.of)[item])
      counts_.values[next[other]++] = {item, similarity};
}

void ItemKnn::add_scores(std::span<const uint32_t> history, std::vector<double>& scores,
                         std::vector<uint32_t>& touched) const {
  for (const uint32_t item : history)
    for (const auto& [candidate, similarity] : counts_[item]) {
      if (scores[candidate] == 0) touched.push_back(candidate);
      scores[candidate] += similarity;
    }
}

}  // namespace pagoda::evaluate
