// Vectors and queries whose squares leave the range of floats, or whose lengths differ by many powers of ten.
#include "core/error.h"
#include "index/index_test.h"
#include "index/partitioned_index.h"

namespace pagoda::index {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

math::Matrix<float> normal_matrix(size_t rows, size_t dim, uint64_t seed, double times = 1) {
  Rng rng(seed, Stream::test);
  math::Matrix<float> m(rows, dim);
  for (float& x : m) x = static_cast<float>(times * rng.normal());
  return m;
}

// The best k of each query by products in doubles, ties by row.
math::Ragged<uint32_t> truth(math::MatrixView<const float> items, math::MatrixView<const float> queries, size_t k) {
  math::Ragged<uint32_t> best;
  for (size_t q = 0; q < queries.rows(); ++q) {
    std::vector<std::pair<long double, uint32_t>> scored(items.rows());
    for (uint32_t row = 0; row < items.rows(); ++row) {
      long double sum = 0;
      for (size_t d = 0; d < items.cols(); ++d) sum += static_cast<long double>(queries[q][d]) * items[row][d];
      scored[row] = {-sum, row};
    }
    std::partial_sort(scored.begin(), scored.begin() + static_cast<std::ptrdiff_t>(k), scored.end());
    for (size_t i = 0; i < k; ++i) best.values.push_back(scored[i].second);
    best.close();
  }
  return best;
}

double share_found(const SearchResult& found, const math::Ragged<uint32_t>& best) {
  size_t hits = 0;
  for (size_t q = 0; q < best.size(); ++q)
    for (const uint32_t item : found.items[q]) hits += std::ranges::find(best[q], item) != best[q].end();
  return static_cast<double>(hits) / static_cast<double>(best.values.size());
}

constexpr double kScales[] = {1e-28, 1e-15, 1, 1e15, 1e28};

TEST(ExtremeVectors, APartitionedIndexKeepsItsRecallAtAnyScaleOfItemsAndQueries) {
  ThreadPool pool(2);
  const auto queries = normal_matrix(40, 16, 2);
  for (const double scale : kScales) {
    const auto items = normal_matrix(3000, 16, 1, scale);
    for (const bool held : {true, false}) {
      const auto p = build_partitions(pool, items, {.k = 100}, held ? queries.view() : math::MatrixView<const float>());
      const double share = p.curve.rows_scored(100, .95);
      EXPECT_LT(share, 0.95) << scale;
      const auto index = make_partitioned_index(p, items);
      const auto best = truth(items, queries, 100);
      for (const double times : kScales) {
        const auto asked = normal_matrix(40, 16, 2, times);
        const auto found = index->search(pool, asked, {.k = 100});
        EXPECT_GE(share_found(found, best), 0.92) << scale << " " << times;
        const auto all = index->search(pool, asked, {.k = 100, .recall = 1});
        EXPECT_GE(share_found(all, best), 0.999) << scale << " " << times;
      }
    }
  }
}

TEST(ExtremeVectors, TheExactIndexOrdersThemAndItsScoresAreTheProducts) {
  ThreadPool pool(2);
  for (const double scale : kScales)
    for (const double times : kScales) {
      const auto items = normal_matrix(500, 8, 1, scale), queries = normal_matrix(5, 8, 2, times);
      const auto best = truth(items, queries, 20);
      const auto found = make_exact_index(items)->search(pool, queries, {.k = 20});
      EXPECT_GE(share_found(found, best), 0.99) << scale << " " << times;
      for (size_t q = 0; q < 5; ++q)
        for (size_t i = 0; i < 20; ++i) {
          double product = 0, size = 0;
          for (size_t d = 0; d < 8; ++d) {
            const double term = double{queries[q][d]} * items[found.items[q][i]][d];
            product += term;
            size += std::abs(term);
          }
          const float score = found.scores[q * 20 + i];
          const float expected = static_cast<float>(std::min<double>(product, std::numeric_limits<float>::max()));
          ASSERT_NEAR(score, expected, 1e-6 * std::min(size, 3e38) + 1e-44) << scale << " " << times;
        }
    }
}

TEST(ExtremeVectors, MinScoreAndQuotasHoldForQueriesOfAnyLength) {
  ThreadPool pool(1);
  const auto items = normal_matrix(300, 8, 1);
  const auto index = make_exact_index(items);
  const auto plain = normal_matrix(3, 8, 2);
  math::Matrix<float> large(3, 8);
  for (size_t q = 0; q < 3; ++q)
    for (size_t d = 0; d < 8; ++d) large[q][d] = std::ldexp(plain[q][d], q == 1 ? 0 : 60);
  const auto few = index->search(pool, plain, {.k = 300, .min_score = 2});
  const auto same = index->search(pool, large, {.k = 300, .min_score = std::ldexp(2.0f, 60)});
  EXPECT_TRUE(std::ranges::equal(few.items[0], same.items[0]));
  EXPECT_TRUE(same.items[1].empty());
  EXPECT_EQ(std::ldexp(few.scores[0], 60), same.scores[0]);
  std::vector<uint32_t> groups(300);
  for (uint32_t i = 0; i < 300; ++i) groups[i] = i % 7;
  const Quota quota{groups, 2};
  const auto a = index->search(pool, plain, {.k = 10, .quota = &quota});
  const auto b = index->search(pool, large, {.k = 10, .quota = &quota});
  EXPECT_EQ(a.items.values, b.items.values);
}

TEST(ExtremeVectors, OneHugeAmongSmallOnesZerosAndEqualOnes) {
  ThreadPool pool(2);
  const auto queries = normal_matrix(40, 16, 2);
  auto huge = normal_matrix(3000, 16, 1);
  for (float& x : huge.row(1234)) x *= 1e15f;
  auto tiny = normal_matrix(3000, 16, 1);
  for (size_t row = 0; row < 3000; row += 3)
    for (float& x : tiny.row(row)) x *= 1e-35f;
  for (const auto* items : {&huge, &tiny}) {
    const auto index = make_partitioned_index(build_partitions(pool, *items, {.k = 100}, {}), *items);
    const auto best = truth(*items, queries, 100);
    EXPECT_GE(share_found(index->search(pool, queries, {.k = 100}), best), 0.9);
    EXPECT_GE(share_found(index->search(pool, queries, {.k = 100, .recall = 1}), best), 0.999);
  }
  math::Matrix<float> zeros(3000, 16);
  zeros.fill(0);
  const auto of_zeros = make_partitioned_index(build_partitions(pool, zeros, {.k = 100}, {}), zeros);
  const auto first = of_zeros->search(pool, queries, {.k = 5, .recall = 1});
  EXPECT_TRUE(std::ranges::equal(first.items[0], std::vector<uint32_t>{0, 1, 2, 3, 4}));
  math::Matrix<float> equal(3000, 16);
  for (size_t row = 0; row < 3000; ++row) std::ranges::copy(queries.row(row % 2), equal[row]);
  const auto of_equal = make_partitioned_index(build_partitions(pool, equal, {.k = 100}, {}), equal);
  const auto found = of_equal->search(pool, queries.view().slice_rows(0, 2), {.k = 100});
  for (size_t q = 0; q < 2; ++q)
    for (const uint32_t item : found.items[q]) EXPECT_EQ(item % 2, q);
}

TEST(ExtremeVectors, OfOneComponent) {
  ThreadPool pool(2);
  for (const double scale : {1e-28, 1.0, 1e28}) {
    const auto items = normal_matrix(3000, 1, 1, scale), queries = normal_matrix(20, 1, 2);
    const auto index = make_partitioned_index(build_partitions(pool, items, {.k = 100}, {}), items);
    EXPECT_GE(share_found(index->search(pool, queries, {.k = 100}), truth(items, queries, 100)), 0.9) << scale;
  }
}

TEST(ExtremeVectors, BeyondWhatAnIndexHoldsTheyAreRefusedWithAWayOut) {
  ThreadPool pool(1);
  for (const double scale : {1e-33, 1e33}) {
    const auto items = normal_matrix(300, 4, 1, scale);
    try {
      build_partitions(pool, items, {}, {});
      FAIL() << scale;
    } catch (const Error& e) {
      EXPECT_EQ(e.kind(), ErrorKind::input);
      EXPECT_NE(std::string(e.what()).find("multiply all vectors by one number"), std::string::npos) << e.what();
    }
  }
}

TEST(ExtremeVectors, QueriesThatAreNoNumbersFindNothing) {
  ThreadPool pool(1);
  const auto items = normal_matrix(300, 4, 1);
  math::Matrix<float> queries(2, 4);
  queries.fill(1e20f);
  queries[0][2] = std::numeric_limits<float>::quiet_NaN();
  const auto found = make_exact_index(items)->search(pool, queries, {.k = 5, .min_score = -kInfinity});
  EXPECT_TRUE(found.items[0].empty());
  EXPECT_EQ(found.items[1].size(), 5u);
}

}  // namespace
}  // namespace pagoda::index
