#include "index/clustering.h"

#include <numeric>
#include <set>

#include "index/code_kernels.h"
#include "index/index_test.h"
#include "index/rotation.h"

namespace pagoda::index {
namespace {

Sq8Codes codes_of(const math::Matrix<float>& vectors) {
  Sq8Codes units;
  units.resize(vectors.rows(), vectors.cols());
  for (size_t row = 0; row < vectors.rows(); ++row) units.set(row, vectors.row(row));
  return units;
}

TEST(Rotation, KeepsInnerProductsAndIsOfTheSeedAlone) {
  for (const size_t dim : {1, 2, 7, 64, 200}) {
    const auto r = random_rotation(dim, 3);
    for (size_t i = 0; i < dim; ++i)
      for (size_t j = 0; j <= i; ++j) {
        double product = 0;
        for (size_t d = 0; d < dim; ++d) product += double{r[i][d]} * r[j][d];
        ASSERT_NEAR(product, i == j ? 1 : 0, 1e-6);
      }
    EXPECT_TRUE(std::ranges::equal(r.values(), random_rotation(dim, 3).values()));
  }
  EXPECT_FALSE(std::ranges::equal(random_rotation(4, 1).values(), random_rotation(4, 2).values()));
}

TEST(Rotation, SpreadsASpikeOverAllComponents) {
  const auto r = random_rotation(256, 1);
  for (size_t d = 0; d < 256; ++d) EXPECT_LT(std::abs(r[d][0]), 0.4);  // 6 deviations
}

TEST(Clustering, FindsHeapsThatLieApart) {
  const auto vectors = clustered_matrix(3000, 24, 1, 10, 0.05);
  const auto units = codes_of(vectors);
  ThreadPool pool(2);
  // With more centroids than heaps, none is shared between two of them.
  const auto centroids = cluster(pool, units, {.lists = 40});
  const auto list_of = nearest_centroids(pool, units, centroids);
  for (size_t a = 0; a < 300; ++a)
    for (size_t b = 0; b < 300; ++b)
      if (list_of[a] == list_of[b]) {
        double product = 0;
        for (size_t d = 0; d < 24; ++d) product += double{vectors[a][d]} * vectors[b][d];
        ASSERT_GT(product, 0.8);
      }
}

TEST(Clustering, EachRowGoesToTheNearestCentre) {
  const auto units = codes_of(clustered_matrix(500, 10, 1));
  ThreadPool pool(2);
  const auto centroids = cluster(pool, units, {.lists = 21});
  const auto list_of = nearest_centroids(pool, units, centroids);
  for (size_t row = 0; row < 500; ++row) {
    std::vector<int32_t> products(32);
    code_kernels().products(centroids.blocks.data(), 21, units.groups, units[row], 0, products.data());
    for (size_t l = 0; l < 21; ++l) products[l] += centroids.biases[l];
    ASSERT_EQ(list_of[row], std::max_element(products.begin(), products.begin() + 21) - products.begin());
  }
}

TEST(Clustering, GroupedCentresGiveTheNearestOfThoseLookedAt) {
  const auto units = codes_of(clustered_matrix(6000, 12, 1, 200, 0.2));
  ThreadPool pool(2), alone(1);
  const ClusterOptions options{.lists = 900, .few_centroids = 100};
  const auto centroids = cluster(pool, units, options);
  ASSERT_TRUE(centroids.groups);
  ASSERT_EQ(centroids.groups->starts.back(), 900u);
  auto all_centres = centroids;
  all_centres.groups = nullptr;
  const auto found = nearest_centroids(pool, units, centroids), nearest = nearest_centroids(pool, units, all_centres);
  EXPECT_EQ(found, nearest_centroids(alone, units, cluster(alone, units, options)));

  // By hand: of the heads' groups, the nearest 8 by their sums; in these, the centroid of the largest sum.
  const auto sums_of = [](const Centroids& c, const int8_t* row, size_t groups) {
    std::vector<int32_t> sums(c.biases.size());
    code_kernels().products(c.blocks.data(), c.lists, groups, row, 0, sums.data());
    for (size_t l = 0; l < c.lists; ++l) sums[l] += c.biases[l];
    return sums;
  };
  const auto& g = *centroids.groups;
  size_t same = 0;
  for (size_t row = 0; row < units.rows; ++row) {
    const auto of_heads = sums_of(g.heads, units[row], units.groups);
    const auto sums = sums_of(all_centres, units[row], units.groups);
    std::vector<uint32_t> heads(g.heads.lists);
    std::iota(heads.begin(), heads.end(), 0u);
    std::stable_sort(heads.begin(), heads.end(), [&](uint32_t a, uint32_t b) { return of_heads[a] > of_heads[b]; });
    uint32_t best = UINT32_MAX;
    for (size_t i = 0; i < std::min(CentroidGroups::kProbedGroups, heads.size()); ++i)
      for (uint64_t at = g.starts[heads[i]]; at < g.starts[heads[i] + 1]; ++at) {
        const uint32_t centroid = g.centroids[at];
        if (best == UINT32_MAX || sums[centroid] > sums[best] || (sums[centroid] == sums[best] && centroid < best))
          best = centroid;
      }
    ASSERT_EQ(found[row], best);
    same += found[row] == nearest[row];
  }
  EXPECT_GT(same, units.rows * 9 / 10);
}

TEST(Clustering, LengthsDoNotMatter) {
  auto vectors = clustered_matrix(200, 16, 1);
  const auto before = codes_of(vectors);
  for (size_t row = 0; row < 200; ++row)
    for (auto& x : vectors.row(row)) x *= row % 2 ? 0.25f : 64.0f;
  EXPECT_EQ(codes_of(vectors).codes, before.codes);
}

TEST(Clustering, AsManyListsAsRowsAndRowsOfZerosAreOrdinary) {
  math::Matrix<float> vectors(6, 4);
  vectors.fill(0);
  for (size_t row = 0; row < 4; ++row) vectors[row][row] = 1;
  ThreadPool pool(1);
  const auto units = codes_of(vectors);
  const auto list_of = nearest_centroids(pool, units, cluster(pool, units, {.lists = 6}));
  EXPECT_EQ((std::set<uint32_t>{list_of[0], list_of[1], list_of[2], list_of[3]}).size(), 4u);
}

TEST(Clustering, GroupsRowsByListInTheirOrder) {
  const std::vector<uint32_t> list_of{2, 0, 2, 3, 0};
  const auto grouped = group_by_list(list_of, 4);
  EXPECT_EQ(grouped.starts, (std::vector<uint64_t>{0, 2, 2, 4, 5}));
  EXPECT_EQ(grouped.rows, (std::vector<uint32_t>{1, 4, 0, 2, 3}));
}

}  // namespace
}  // namespace pagoda::index
