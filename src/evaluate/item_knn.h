// Item-kNN, a baseline: recommends items that the same users had.
//
// A user's score of item j is the sum of the similarities s_ij (model/nearest_items.h) over those items i of the
// history that are among the nearest neighbours of j (Ferrari Dacrema et al. 2019).
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "model/nearest_items.h"

namespace pagoda::evaluate {

struct ItemKnnOptions {
  model::NearestOptions nearest;
  double most_bytes = double{1 << 30};  // of the neighbours
};

// Immutable once made: several threads may call add_scores(). The same bits on any number of threads.
class ItemKnn {
 public:
  // The most memory that the neighbours of `items` items can take.
  static double bytes(size_t items, const ItemKnnOptions& options);
  // histories: per user rows of items, in order of time; an item may stand there more than once.
  ItemKnn(ThreadPool& pool, const math::Ragged<uint32_t>& histories, size_t items, const ItemKnnOptions& options);
  uint64_t users() const { return nearest_.users; }                  // with a history
  uint64_t sampled_users() const { return nearest_.sampled_users; }  // of them: learnt from
  std::span<const model::Neighbour> neighbours_of(uint32_t item) const { return nearest_.of[item]; }

  // Adds each item's score to scores [items], and appends the items that had none to `touched`.
  void add_scores(std::span<const uint32_t> history, std::vector<double>& scores, std::vector<uint32_t>& touched) const;
  // The latest different items of a list, in rising order of their rows.
  std::vector<uint32_t> latest(std::span<const uint32_t> history) const {
    return model::latest_items(history, options_.nearest.longest_history);
  }

 private:
  ItemKnnOptions options_;
  model::NearestItems nearest_;
  math::Ragged<model::Neighbour> counts_;  // per item: those that it is a neighbour of
};

}  // namespace pagoda::evaluate
