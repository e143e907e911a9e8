#include "model/nearest_items.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "core/rng.h"

namespace pagoda::model {
namespace {

math::Ragged<uint32_t> lists(const std::vector<std::vector<uint32_t>>& of) {
  math::Ragged<uint32_t> out;
  for (const auto& list : of) out.push(list);
  return out;
}

TEST(NearestItems, ASwingIsWorkedByHand) {
  ThreadPool pool(1);
  // Users 0 and 1 share items 0 and 1; users 0 and 2 share item 0 alone. User 0 had item 1 twice, which counts once.
  const auto nearest = nearest_items(pool, lists({{0, 1, 1, 2}, {1, 0}, {0, 3}}), 4,
                                     {.similarity = Similarity::swing, .shrinkage = 0.5});
  ASSERT_EQ(std::as_const(nearest.of)[0].size(), 1u);
  EXPECT_EQ(std::as_const(nearest.of)[0][0].item, 1u);
  EXPECT_FLOAT_EQ(std::as_const(nearest.of)[0][0].similarity, static_cast<float>(1 / (std::sqrt(3.0 * 2.0) * 2.5)));
  EXPECT_TRUE(std::as_const(nearest.of)[2].empty());
}

TEST(NearestItems, AnEaseIsWorkedByHand) {
  ThreadPool pool(1);
  // X'X = (2 1; 1 1), the mean of its diagonal 1.5, lambda 1: the inverse of (3 1; 1 2) is (2 -1; -1 3) / 5.
  const auto nearest =
      nearest_items(pool, lists({{0, 1}, {0, 0}}), 3, {.similarity = Similarity::ease, .shrinkage = 2.0 / 3});
  ASSERT_EQ(std::as_const(nearest.of)[0].size(), 1u);
  EXPECT_FLOAT_EQ(std::as_const(nearest.of)[0][0].similarity, 1.0f / 3);
  ASSERT_EQ(std::as_const(nearest.of)[1].size(), 1u);
  EXPECT_FLOAT_EQ(std::as_const(nearest.of)[1][0].similarity, 1.0f / 2);
  EXPECT_TRUE(std::as_const(nearest.of)[2].empty());
}

// The normal equations of each item's regression on the others: sum over k != j of G_ik s_kj + lambda s_ij = G_ij.
TEST(NearestItems, EaseSolvesTheRegressionOfEachItemOnAllOthers) {
  constexpr size_t kItems = 30;
  Rng rng(8, Stream::test);
  std::vector<std::vector<uint32_t>> histories(80);
  for (auto& history : histories)
    for (size_t n = rng.below(9); n > 0; --n) history.push_back(static_cast<uint32_t>(rng.below(kItems)));
  ThreadPool pool(3), one(1);
  NearestOptions options{.similarity = Similarity::ease, .neighbours = kItems, .shrinkage = 0.7};
  const auto nearest = nearest_items(pool, lists(histories), kItems, options);
  EXPECT_EQ(nearest.of.values, nearest_items(one, lists(histories), kItems, options).of.values);
  double gram[kItems][kItems] = {}, similarity[kItems][kItems] = {}, trace = 0;
  for (const auto& history : histories) {
    const std::set<uint32_t> had(history.begin(), history.end());
    for (const uint32_t i : had)
      for (const uint32_t j : had) gram[i][j] += 1;
  }
  for (uint32_t i = 0; i < kItems; ++i) {
    ASSERT_GT(gram[i][i], 0);
    trace += gram[i][i];
    for (const auto& near : std::as_const(nearest.of)[i]) similarity[i][near.item] = near.similarity;
  }
  bool below_zero = false;
  for (uint32_t j = 0; j < kItems; ++j)
    for (uint32_t i = 0; i < kItems; ++i) {
      if (i == j) continue;
      double sum = options.shrinkage * trace / kItems * similarity[i][j];
      for (uint32_t k = 0; k < kItems; ++k)
        if (k != j) sum += gram[i][k] * similarity[k][j];
      EXPECT_NEAR(sum, gram[i][j], 1e-3) << i << ", " << j;
      below_zero |= similarity[i][j] < 0;
    }
  EXPECT_TRUE(below_zero);

  // Shorter lists keep what says most, for or against; in the end the more similar first.
  options.neighbours = 5;
  const auto few = nearest_items(pool, lists(histories), kItems, options);
  for (uint32_t i = 0; i < kItems; ++i) {
    std::vector<Neighbour> all(std::as_const(nearest.of)[i].begin(), std::as_const(nearest.of)[i].end());
    std::ranges::sort(all, std::greater(), [](const Neighbour& n) { return std::abs(n.similarity); });
    all.resize(5);
    std::ranges::sort(all, is_nearer);
    const auto kept = std::as_const(few.of)[i];
    EXPECT_EQ(std::vector<Neighbour>(kept.begin(), kept.end()), all);
  }
}

TEST(NearestItems, EaseKnowsTheItemsThatMostUsersHad) {
  ThreadPool pool(1);
  const NearestOptions options{.similarity = Similarity::ease, .shrinkage = 1, .ease_items = 2};
  const auto nearest = nearest_items(pool, lists({{0, 2, 3}, {0, 3}, {2, 3, 1}, {3}}), 5, options);
  for (const uint32_t item : {1u, 2u, 4u}) EXPECT_TRUE(std::as_const(nearest.of)[item].empty());  // 2: after 0, a tie
  ASSERT_EQ(std::as_const(nearest.of)[3].size(), 1u);
  EXPECT_EQ(std::as_const(nearest.of)[3][0].item, 0u);
  EXPECT_TRUE(nearest_items(pool, lists({{}}), 3, options).of.values.empty());
}

// Every pair of users of every pair of items, as the formula says.
TEST(NearestItems, SwingAgreesWithTheFormulaOnRandomLogs) {
  constexpr size_t kItems = 40;
  constexpr double kShrinkage = 1.5;
  Rng rng(6, Stream::test);
  std::vector<std::vector<uint32_t>> histories(60);
  for (auto& history : histories)
    for (size_t n = rng.below(12); n > 0; --n) history.push_back(static_cast<uint32_t>(rng.below(kItems)));
  ThreadPool pool(3), one(1);
  const NearestOptions options{.similarity = Similarity::swing, .neighbours = kItems, .shrinkage = kShrinkage};
  const auto nearest = nearest_items(pool, lists(histories), kItems, options);
  const auto again = nearest_items(one, lists(histories), kItems, options);
  EXPECT_EQ(nearest.of.values, again.of.values);
  std::vector<std::set<uint32_t>> had;
  for (const auto& history : histories) had.emplace_back(history.begin(), history.end());
  for (uint32_t i = 0; i < kItems; ++i) {
    std::vector<double> expected(kItems), found(kItems);
    for (size_t u = 0; u < had.size(); ++u)
      for (size_t v = u + 1; v < had.size(); ++v) {
        if (!had[u].contains(i) || !had[v].contains(i)) continue;
        std::vector<uint32_t> both;
        std::ranges::set_intersection(had[u], had[v], std::back_inserter(both));
        const double lengths = std::sqrt(static_cast<double>(had[u].size() * had[v].size()));
        for (const uint32_t j : both)
          if (j != i) expected[j] += 1 / (lengths * (kShrinkage + static_cast<double>(both.size())));
      }
    float last = std::numeric_limits<float>::infinity();
    for (const auto& [j, similarity] : std::as_const(nearest.of)[i]) {
      EXPECT_LE(similarity, last);
      found[j] = last = similarity;
    }
    for (size_t j = 0; j < kItems; ++j) EXPECT_NEAR(found[j], expected[j], 1e-6) << i << " " << j;
  }
}

TEST(NearestItems, OfAnItemWithManyUsersASampleSwings) {
  std::vector<std::vector<uint32_t>> histories(500, std::vector<uint32_t>{0, 1});
  ThreadPool pool(2);
  const auto nearest =
      nearest_items(pool, lists(histories), 2, {.similarity = Similarity::swing, .shrinkage = 0, .swing_users = 10});
  // 45 pairs of users, each with two items, all shared.
  EXPECT_FLOAT_EQ(std::as_const(nearest.of)[0][0].similarity, 45 / (2.0f * 2));
}

}  // namespace
}  // namespace pagoda::model
