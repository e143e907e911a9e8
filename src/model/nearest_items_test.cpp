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
