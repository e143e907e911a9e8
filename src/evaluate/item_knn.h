// Item-kNN, a baseline: recommends items that the same users had.
//
// With c_i the users that had item i, and c_ij those that had both:
//   s_ij = c_ij / (sqrt(c_i c_j) + shrinkage)
// Sarwar et al. 2001; shrinkage as in Bell and Koren 2007. A user's score of item j is the sum of s_ij over those items
// i of the history that are among the nearest neighbours of j (Ferrari Dacrema et al. 2019).
#pragma once

#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "core/thread_pool.h"
#include "math/ragged.h"

namespace pagoda::evaluate {

struct ItemKnnOptions {
  size_t neighbours = 100;  // kept of each item
  double shrinkage = 30;
  size_t longest_history = 500;         // of a user, the latest different items
  double most_pairs = 1e9;              // the sum of squares of history lengths; users are sampled to stay below it
  uint64_t seed = 1;                    // of the sample
  double most_bytes = double{1 << 30};  // of the neighbours
};

// Immutable once made: several threads may call add_scores(). The same bits on any number of threads.
class ItemKnn {
 public:
  // The most memory that the neighbours of `items` items can take.
  static double bytes(size_t items, const ItemKnnOptions& options);
  // histories: per user rows of items, in order of time; an item may stand there more than once.
  ItemKnn(ThreadPool& pool, const math::Ragged<uint32_t>& histories, size_t items, const ItemKnnOptions& options);
  uint64_t users() const { return users_; }                                        // with a history
  uint64_t sampled_users() const { return sampled_; }                              // of them: learnt from
  std::span<const std::pair<uint32_t, float>> neighbours_of(uint32_t item) const;  // the nearest first

  // Adds each item's score to scores [items], and appends the items that had none to `touched`.
  void add_scores(std::span<const uint32_t> history, std::vector<double>& scores, std::vector<uint32_t>& touched) const;
  // The latest different items of a list, in rising order of their rows.
  std::vector<uint32_t> latest(std::span<const uint32_t> history) const;

 private:
  using Neighbour = std::pair<uint32_t, float>;  // row, similarity
  ItemKnnOptions options_;
  uint64_t users_ = 0, sampled_ = 0;
  math::Ragged<Neighbour> near_;    // per item: its neighbours
  math::Ragged<Neighbour> counts_;  // per item: those that it is a neighbour of
};

}  // namespace pagoda::evaluate
