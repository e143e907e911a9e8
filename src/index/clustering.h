// Spherical k-means on 8-bit codes: centres are unit vectors, a row belongs to the centre of the largest inner product
// (Dhillon, Modha, "Concept Decompositions for Large Sparse Text Data Using Clustering", 2001). Products and sums are of
// integers, so the outcome does not depend on the number of threads, nor on the CPU.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "core/thread_pool.h"
#include "math/matrix.h"

namespace pagoda::index {

// Rows of unit length as codes of one common step, [n, 4 * groups]. A row of zeros stays one.
struct Sq8Codes {
  size_t rows = 0, groups = 0;
  float scale = 0;
  std::vector<int8_t> codes;
  void resize(size_t n, size_t dim);
  // `vector` is of any length, rotated already (components of a size: that is what fixes the step).
  void set(size_t row, std::span<const float> vector);
  const int8_t* operator[](size_t row) const { return codes.data() + row * groups * 4; }
};

struct CentroidGroups;

// Centroids as codes in blocks (code_kernels.h). Their coded lengths differ a little, and a long one would draw rows from all
// others: the bias takes that off, so that a row goes to the centre that is nearest to it.
struct Centroids {
  size_t lists = 0;
  std::vector<uint8_t> blocks;
  std::vector<int32_t> biases;                   // for whole blocks
  std::shared_ptr<const CentroidGroups> groups;  // where they are too many to look at each for every row
};

// Many centres by group, each group about a centre of its own, its head. A row is compared with the heads, and then with the
// centres of the nearest few groups alone; so it may miss its nearest centre, for one that is nearly as near.
struct CentroidGroups {
  static constexpr size_t kFewCentroids = 16384;  // up to so many each row is compared with all
  static constexpr size_t kProbedGroups = 8;      // groups

  Centroids heads;
  std::vector<uint64_t> starts;     // [heads + 1]
  std::vector<uint32_t> centroids;  // group by group, rising within each
  // Of the centres in that order, each group from a whole block on.
  std::vector<uint64_t> first_block;  // [heads]
  std::vector<uint8_t> blocks;
  std::vector<int32_t> biases;
};

struct ClusterOptions {
  size_t lists = 1;
  int64_t iterations = 10;
  uint64_t seed = 1;
  size_t few_centroids = CentroidGroups::kFewCentroids;  // with more, they are grouped
};

// lists <= rows. A list that holds more than three times the mean is cut in two on the
// way, and the one that holds least gives up its rows.
Centroids cluster(ThreadPool& pool, const Sq8Codes& rows, const ClusterOptions& options);

// The centre of each row: the nearest, or, where the centres are grouped, the nearest of those that were looked at.
std::vector<uint32_t> nearest_centroids(ThreadPool& pool, const Sq8Codes& rows, const Centroids& centres);

// The rows 0 .. lists_of.size() - 1 ordered by list, rising within each: `starts` [lists + 1] says where a list begins.
struct RowsByList {
  std::vector<uint64_t> starts;
  std::vector<uint32_t> rows;
};
RowsByList group_by_list(std::span<const uint32_t> list_of, size_t lists);

}  // namespace pagoda::index
