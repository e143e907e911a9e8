#include <cstring>

#include "index/block_scores.h"
#include "index/index_test.h"

namespace pagoda::index {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

math::Matrix<float> random_matrix(size_t rows, size_t cols, uint64_t seed, bool coarse = false) {
  Rng rng(seed, Stream::test);
  math::Matrix<float> m(rows, cols);
  for (auto& x : m) x = coarse ? static_cast<float>(rng.below(3)) - 1.0f : static_cast<float>(rng.normal());
  return m;
}

// Scores in double and a full sort: what search promises, the plain way. Of coarse vectors (-1, 0, 1) the scores are
// exact in float, so lists must agree item by item.
SearchResult naive(const math::Matrix<float>& queries, const math::Matrix<float>& items, const SearchOptions& options) {
  SearchResult result;
  for (size_t q = 0; q < queries.rows(); ++q) {
    std::vector<std::pair<float, uint32_t>> all;
    for (uint32_t i = 0; i < items.rows(); ++i) {
      double score = 0;
      for (size_t d = 0; d < items.cols(); ++d) score += double{queries[q][d]} * items[i][d];
      const auto excluded = options.excluded ? (*options.excluded)[q] : std::span<const uint32_t>();
      if (options.allowed && !options.allowed->has(i)) continue;
      if (std::find(excluded.begin(), excluded.end(), i) != excluded.end()) continue;
      if (score >= options.min_score) all.emplace_back(-static_cast<float>(score), i);
    }
    std::sort(all.begin(), all.end());
    all.resize(std::min(all.size(), options.k));
    for (const auto& [negated, item] : all) {
      result.items.values.push_back(item);
      result.scores.push_back(-negated);
    }
    result.items.close();
  }
  return result;
}

TEST(ExactIndex, AnswersALiteralCase) {
  math::Matrix<float> items(4, 2), query(1, 2);
  const float rows[] = {1, 0, 0, 1, 1, 0, -1, -1};
  std::copy_n(rows, 8, items.data());
  query[0][0] = 2;
  query[0][1] = 1;
  const auto index = make_exact_index(items);
  EXPECT_EQ(index->kind(), "exact");
  EXPECT_EQ(index->items(), 4u);
  EXPECT_EQ(index->dim(), 2u);
  ThreadPool pool(1);
  const auto result = index->search(pool, query, {.k = 3});
  EXPECT_EQ(result.items.values, (std::vector<uint32_t>{0, 2, 1}));
  EXPECT_EQ(result.scores, (std::vector<float>{2, 2, 1}));
}

TEST(ExactIndex, AgreesWithSortingAllScoresInManyShapes) {
  ThreadPool pool(2);
  for (const auto& [queries, items, dim] : std::vector<std::array<size_t, 3>>{
           {1, 1, 1}, {3, 31, 2}, {5, 33, 3}, {9, 256, 7}, {40, 257, 8}, {300, 700, 16}, {2, 9000, 5}, {17, 5000, 65}})
    for (const size_t k : {0, 1, 20, 600, 10000}) {
      const auto q = random_matrix(queries, dim, queries, true), v = random_matrix(items, dim, items + 1, true);
      SCOPED_TRACE(fmt::format("{} queries, {} items, D = {}, k = {}", queries, items, dim, k));
      expect_same(make_exact_index(v)->search(pool, q, {.k = k}), naive(q, v, {.k = k}));
    }
}

TEST(ExactIndex, AppliesExclusionsFiltersAndMinScoreInside) {
  ThreadPool pool(2);
  Rng rng(5, Stream::test);
  for (const auto& [queries, items] : std::vector<std::array<size_t, 2>>{{1, 9001}, {30, 600}, {290, 300}}) {
    const auto q = random_matrix(queries, 6, 1, true), v = random_matrix(items, 6, 2, true);
    math::Ragged<uint32_t> excluded;
    for (size_t i = 0; i < queries; ++i) {
      for (size_t n = rng.below(items / 2 + 1); n > 0; --n)
        excluded.values.push_back(static_cast<uint32_t>(rng.below(items)));
      excluded.close();
    }
    for (const double share : {0.0, 0.002, 0.1, 0.5, 0.99, 1.0}) {
      math::ItemSet allowed(items);
      for (uint32_t i = 0; i < items; ++i)
        if (rng.uniform() < share) allowed.add(i);
      for (const float min_score : {-kInfinity, 0.0f, 2.0f})
        for (const size_t k : {10, 5000})
          for (const int with : {1, 2, 3}) {
            SearchOptions options{.k = k, .min_score = min_score};
            if (with & 1) options.allowed = &allowed;
            if (with & 2) options.excluded = &excluded;
            SCOPED_TRACE(
                fmt::format("{} queries, share {}, min {}, k {}, with {}", queries, share, min_score, k, with));
            expect_same(make_exact_index(v)->search(pool, q, options), naive(q, v, options));
          }
    }
  }
}

TEST(ExactIndex, AQueryGetsTheSameBitsAloneAndInAnyCompanyOnAnyNumberOfThreads) {
  ThreadPool one(1), two(2);
  for (const size_t dim : {1, 3, 17, 32, 64, 100, 200}) {
    const auto q = random_matrix(70, dim, 1), v = random_matrix(5003, dim, 2);
    const auto index = make_exact_index(v);
    const SearchOptions options{.k = 50};
    const auto all = index->search(one, q, options);
    expect_same(index->search(two, q, options), all);
    for (const size_t begin : {0, 1, 7, 33, 69})
      for (const size_t n : {1, 2, 9}) {
        const size_t end = std::min<size_t>(70, begin + n);
        const auto some = index->search(two, q.view().slice_rows(begin, end), options);
        for (size_t i = begin; i < end; ++i) {
          ASSERT_TRUE(std::ranges::equal(some.items[i - begin], all.items[i]));
          ASSERT_EQ(0, std::memcmp(&some.scores[(i - begin) * 50], &all.scores[i * 50], 50 * sizeof(float)));
        }
      }
  }
}

TEST(ExactIndex, AFilterDoesNotChangeTheBitsOfAScore) {
  ThreadPool pool(1);
  const auto q = random_matrix(3, 33, 1), v = random_matrix(1000, 33, 2);
  const auto index = make_exact_index(v);
  const auto all = index->search(pool, q, {.k = 1000});
  math::ItemSet allowed(1000);
  for (uint32_t i = 0; i < 1000; i += 7) allowed.add(i);
  const auto some = index->search(pool, q, {.k = 1000, .allowed = &allowed});
  std::vector<uint32_t> expected_items;
  std::vector<float> expected_scores;
  for (size_t i = 0; i < all.scores.size(); ++i)
    if (all.items.values[i] % 7 == 0) {
      expected_items.push_back(all.items.values[i]);
      expected_scores.push_back(all.scores[i]);
    }
  EXPECT_EQ(some.items.values, expected_items);
  EXPECT_EQ(some.scores, expected_scores);
}

TEST(ExactIndex, ScoresAreCloseToThoseInDouble) {
  const auto q = random_matrix(11, 100, 1), v = random_matrix(77, 100, 2);
  ItemBlock block;
  block.fill(v, 10, 67);
  math::Matrix<float> scores(11, 96);
  block.score(q, scores);
  for (size_t i = 0; i < 11; ++i) {
    for (size_t j = 0; j < 67; ++j) {
      double exact = 0, size = 0;
      for (size_t d = 0; d < 100; ++d) {
        exact += double{q[i][d]} * v[10 + j][d];
        size += std::abs(double{q[i][d]} * v[10 + j][d]);
      }
      ASSERT_NEAR(scores[i][j], exact, 1e-6 * size);
    }
    for (size_t j = 67; j < 96; ++j) ASSERT_EQ(scores[i][j], 0.0f);
  }
}

TEST(ExactIndex, RowsAtRandomPlacesHaveTheBitsOfABlock) {
  Rng rng(3, Stream::test);
  for (const size_t dim : {1, 5, 16, 17, 64, 100, 300})
    for (const size_t n : {1, 15, 16, 33, 200}) {
      const auto q = random_matrix(1, dim, 1), v = random_matrix(500, dim, 2);
      std::vector<uint32_t> rows(n);
      for (auto& row : rows) row = static_cast<uint32_t>(rng.below(500));
      std::vector<float> scores(n);
      score_rows(v, rows, q.row(0), scores.data());
      ItemBlock block;
      block.fill(v, rows.data(), n);
      math::Matrix<float> wanted(1, (n + ItemBlock::kLanes - 1) / ItemBlock::kLanes * ItemBlock::kLanes);
      block.score(q, wanted);
      ASSERT_EQ(0, std::memcmp(scores.data(), wanted.data(), n * sizeof(float))) << dim << " " << n;
    }
}

TEST(ExactIndex, EqualScoresComeInTheOrderOfTheRowsAcrossBlocksAndShards) {
  ThreadPool pool(2);
  math::Matrix<float> items(10000, 4), query(1, 4);
  items.fill(0.5f);
  query.fill(1.0f);
  const auto result = make_exact_index(items)->search(pool, query, {.k = 3000});
  for (uint32_t i = 0; i < 3000; ++i) ASSERT_EQ(result.items.values[i], i);
}

TEST(ExactIndex, AQueryWithANanGetsNothingAndDoesNotDisturbItsNeighbours) {
  ThreadPool pool(1);
  auto q = random_matrix(3, 4, 1, true);
  const auto v = random_matrix(50, 4, 2, true);
  q[1][2] = std::numeric_limits<float>::quiet_NaN();
  const auto index = make_exact_index(v);
  const auto result = index->search(pool, q, {.k = 5});
  EXPECT_EQ(result.items.offsets, (std::vector<uint64_t>{0, 5, 5, 10}));
  const auto alone = index->search(pool, q.view().slice_rows(2, 3), {.k = 5});
  EXPECT_TRUE(std::ranges::equal(alone.items[0], result.items[2]));
}

TEST(ExactIndex, NoQueriesAndNoItemsAreOrdinary) {
  ThreadPool pool(1);
  const auto v = random_matrix(5, 4, 1);
  EXPECT_EQ(make_exact_index(v)->search(pool, math::Matrix<float>(0, 4), {.k = 5}).items.size(), 0u);
  const math::Matrix<float> none(0, 4);
  const auto result = make_exact_index(none)->search(pool, v, {.k = 5});
  EXPECT_EQ(result.items.offsets, (std::vector<uint64_t>(6, 0)));
  EXPECT_TRUE(result.scores.empty());
}

}  // namespace
}  // namespace pagoda::index
