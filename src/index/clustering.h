// Spherical k-means on SQ8 codes: centroids are unit vectors, and a row belongs to the centroid with the largest inner
// product (Dhillon, Modha, "Concept Decompositions for Large Sparse Text Data Using Clustering", 2001). All products
// and sums are integers, so the result depends neither on the number of threads nor on the CPU.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "core/thread_pool.h"
#include "math/matrix.h"

namespace pagoda::index {

// Unit vectors as 8-bit codes with one common scale, [n, 4 * groups]: component = scale * code. A row of zeros stays
// zero.
struct Sq8Codes {
  size_t rows = 0, groups = 0;
  float scale = 0;
  std::vector<int8_t> codes;
  void resize(size_t n, size_t dim);
  // Codes `vector`, of any length, as a unit vector. It must be rotated already: the scale relies on components of
  // about equal size.
  void set(size_t row, std::span<const float> vector);
  const int8_t* operator[](size_t row) const { return codes.data() + row * groups * 4; }
};

struct CentroidGroups;

// Centroids as SQ8 codes in blocks (code_kernels.h). Their coded lengths differ a little, and a long centroid would
// attract rows that are nearer to others; the biases correct for that.
struct Centroids {
  size_t lists = 0;
  std::vector<uint8_t> blocks;
  std::vector<int32_t> biases;                   // for whole blocks
  std::shared_ptr<const CentroidGroups> groups;  // set when there are too many centroids to compare every row with each
};

// Many centroids, clustered into groups; the centroid of a group is its head. A row is compared with all heads, and
// then only with the centroids of the nearest few groups, so it may get a centroid that is slightly farther than its
// nearest one.
struct CentroidGroups {
  static constexpr size_t kFewCentroids = 16384;  // up to this many, each row is compared with all centroids
  static constexpr size_t kProbedGroups = 8;      // groups that a row is compared with

  Centroids heads;
  std::vector<uint64_t> starts;     // [heads + 1]
  std::vector<uint32_t> centroids;  // group by group, ascending within each
  // The centroids in that order; each group begins a new block.
  std::vector<uint64_t> first_block;  // [heads]
  std::vector<uint8_t> blocks;
  std::vector<int32_t> biases;
};

struct ClusterOptions {
  size_t lists = 1;
  int64_t iterations = 10;
  uint64_t seed = 1;
  size_t few_centroids = CentroidGroups::kFewCentroids;  // more centroids are grouped
};

// k-means with options.lists <= rows.rows centroids. Between iterations the largest lists are split in two and replace
// the smallest ones, where sizes differ much from the mean.
Centroids cluster(ThreadPool& pool, const Sq8Codes& rows, const ClusterOptions& options);

// The centroid of each row: the nearest one, or, where centroids are grouped, the nearest of those compared.
std::vector<uint32_t> nearest_centroids(ThreadPool& pool, const Sq8Codes& rows, const Centroids& centroids);

// The rows 0 .. list_of.size() - 1 sorted by list, ascending within each; list l is [starts[l], starts[l + 1]).
struct RowsByList {
  std::vector<uint64_t> starts;
  std::vector<uint32_t> rows;
};
RowsByList group_by_list(std::span<const uint32_t> list_of, size_t lists);

}  // namespace pagoda::index
