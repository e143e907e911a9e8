// Vectors for the tests of this room.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "core/rng.h"
#include "index/index.h"

namespace pagoda::index {

// Unit vectors about some centroids: what item vectors of a trained model are like.
inline math::Matrix<float> clustered_matrix(size_t rows, size_t dim, uint64_t seed, size_t centroids = 30,
                                            double noise = 0.7, uint64_t centre_seed = 7) {
  Rng centre_rng(centre_seed, Stream::test), rng(seed, Stream::test, 1);
  math::Matrix<float> about(centroids, dim), m(rows, dim);
  for (auto& x : about) x = static_cast<float>(centre_rng.normal());
  for (size_t row = 0; row < rows; ++row) {
    const float* centroid = about[rng.below(centroids)];
    double length = 0;
    for (size_t d = 0; d < dim; ++d) {
      m[row][d] = static_cast<float>(centroid[d] + noise * rng.normal());
      length += double{m[row][d]} * m[row][d];
    }
    for (size_t d = 0; d < dim; ++d) m[row][d] = static_cast<float>(m[row][d] / std::sqrt(length));
  }
  return m;
}

inline void expect_same(const SearchResult& a, const SearchResult& b) {
  ASSERT_EQ(a.items.offsets, b.items.offsets);
  ASSERT_EQ(a.items.values, b.items.values);
  ASSERT_EQ(a.scores, b.scores);
}

// The share of `exact`'s items that were found, over all queries.
inline double recall_of(const SearchResult& found, const SearchResult& exact) {
  size_t hits = 0;
  for (size_t q = 0; q < exact.items.size(); ++q)
    for (const uint32_t item : found.items[q])
      hits += std::find(exact.items[q].begin(), exact.items[q].end(), item) != exact.items[q].end();
  return exact.items.values.empty() ? 1 : static_cast<double>(hits) / static_cast<double>(exact.items.values.size());
}

}  // namespace pagoda::index
