// Item-to-item neighbours: items that the same users had.
//
// With U_i the users that had item i, and I_u the items of user u:
//   cosine  s_ij = |U_i n U_j| / (sqrt(|U_i| |U_j|) + shrinkage)          Sarwar et al. 2001; Bell and Koren 2007
//   swing   s_ij = sum_{u < v, both in U_i n U_j} 1 / (sqrt(|I_u| |I_v|) (shrinkage + |I_u n I_v|))
//           Yang et al. 2020, "Large Scale Product Graph Construction for Recommendation in E-commerce": two users who
//           have little else in common say more. U_i is a sample where it is large.
//   ease    s_ij = -P_ij / P_jj, where P is the inverse of X'X + lambda I and X has a row of zeros and ones for each
//           user: the linear regression of each item on all others, none on itself.
//           Steck 2019, "Embarrassingly Shallow Autoencoders for Sparse Data", eq. 8. May be below 0.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/thread_pool.h"
#include "math/ragged.h"

namespace pagoda::model {

struct Neighbour {
  uint32_t item = 0;
  float similarity = 0;
  bool operator==(const Neighbour&) const = default;
};
// The nearer first; ties by row.
inline bool is_nearer(const Neighbour& a, const Neighbour& b) {
  return a.similarity != b.similarity ? a.similarity > b.similarity : a.item < b.item;
}

enum class Similarity : uint8_t { cosine, swing, ease };

struct NearestOptions {
  Similarity similarity = Similarity::cosine;
  size_t neighbours = 100;       // kept of each item; with ease those that say most, for or against
  double shrinkage = 30;         // with ease: lambda in units of the mean of |U_i|
  size_t longest_history = 500;  // of a user, the latest different items
  double most_pairs = 1e9;       // the sum of squares of history lengths; users are sampled to stay below it
  size_t swing_users = 64;       // of an item
  size_t ease_items = 12000;     // those that most users had; the others have no neighbours. The matrix is their square
  uint64_t seed = 1;             // of the samples
};

struct NearestItems {
  math::Ragged<Neighbour> of;             // per item, by is_nearer()
  uint64_t users = 0, sampled_users = 0;  // with a history; of them: learnt from
};

// histories: per user rows of items, in order of time; an item may stand there more than once. The same bits on any
// number of threads.
NearestItems nearest_items(ThreadPool& pool, const math::Ragged<uint32_t>& histories, size_t items,
                           const NearestOptions& options);

// The latest `most` different items of a history, in rising order of their rows.
std::vector<uint32_t> latest_items(std::span<const uint32_t> history, size_t most);

}  // namespace pagoda::model
