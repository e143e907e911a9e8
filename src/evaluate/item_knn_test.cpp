#include "evaluate/item_knn.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

#include "core/rng.h"

namespace pagoda::evaluate {
namespace {

math::Ragged<uint32_t> lists(const std::vector<std::vector<uint32_t>>& of) {
  math::Ragged<uint32_t> out;
  for (const auto& list : of) out.push(list);
  return out;
}

std::vector<double> scores_of(const ItemKnn& knn, const std::vector<uint32_t>& history, size_t items) {
  std::vector<double> scores(items);
  std::vector<uint32_t> touched;
  knn.add_scores(knn.latest(history), scores, touched);
  for (const uint32_t item : touched) EXPECT_GT(scores[item], 0);
  EXPECT_EQ(touched.size(), static_cast<size_t>(std::ranges::count_if(scores, [](double s) { return s > 0; })));
  return scores;
}

TEST(ItemKnn, TwoItemsAreWorkedByHand) {
  ThreadPool pool(1);
  // Item 0 is had by three users, item 1 by two, both by two; user 0 had item 0 twice, which counts once.
  const ItemKnn knn(pool, lists({{0, 1, 0}, {1, 0}, {0, 2}, {}}), 3, {.nearest = {.shrinkage = 1}});
  EXPECT_EQ(knn.users(), 3u);
  EXPECT_EQ(knn.sampled_users(), 3u);
  const auto near = knn.neighbours_of(0);
  ASSERT_EQ(near.size(), 2u);
  EXPECT_EQ(near[0].item, 1u);
  EXPECT_FLOAT_EQ(near[0].similarity, static_cast<float>(2 / (std::sqrt(6.0) + 1)));
  EXPECT_EQ(near[1].item, 2u);
  EXPECT_FLOAT_EQ(near[1].similarity, static_cast<float>(1 / (std::sqrt(3.0) + 1)));
  const auto scores = scores_of(knn, {1}, 3);
  EXPECT_FLOAT_EQ(static_cast<float>(scores[0]), near[0].similarity);
  EXPECT_EQ(scores[2], 0);
}

// Each user's score of each item, from all pairs of items, as the formula says.
TEST(ItemKnn, AgreesWithTheFormulaOnRandomLogs) {
  Rng rng(3, Stream::test);
  const size_t items = 40, neighbours = 5;
  for (int log = 0; log < 4; ++log) {
    std::vector<std::vector<uint32_t>> histories(90);
    for (auto& history : histories)
      for (size_t n = rng.below(12); n > 0; --n)
        history.push_back(static_cast<uint32_t>(rng.below(1 + rng.below(items))));
    ThreadPool pool(3);
    const ItemKnn knn(pool, lists(histories), items, {.nearest = {.neighbours = neighbours, .shrinkage = 2}});
    std::vector<std::set<size_t>> users(items);
    for (size_t u = 0; u < histories.size(); ++u)
      for (const uint32_t item : histories[u]) users[item].insert(u);
    std::vector<std::vector<std::pair<double, size_t>>> near(items);
    for (size_t i = 0; i < items; ++i) {
      for (size_t j = 0; j < items; ++j) {
        if (i == j) continue;
        double both = 0;
        for (const size_t u : users[i]) both += static_cast<double>(users[j].count(u));
        const double length = std::sqrt(static_cast<double>(users[i].size()) * static_cast<double>(users[j].size()));
        // In floats, as similarities are kept: which of two equal ones is nearer, the row decides.
        if (both > 0) near[i].emplace_back(-static_cast<double>(static_cast<float>(both / (length + 2))), j);
      }
      std::ranges::sort(near[i]);
      near[i].resize(std::min(near[i].size(), neighbours));
    }
    for (const auto& history : histories) {
      const std::set<uint32_t> had(history.begin(), history.end());
      const auto scores = scores_of(knn, history, items);
      for (size_t j = 0; j < items; ++j) {
        double expected = 0;
        for (const auto& [minus, i] : near[j]) expected -= had.contains(static_cast<uint32_t>(i)) ? minus : 0;
        EXPECT_NEAR(scores[j], expected, 1e-6) << "item " << j;
      }
    }
  }
}

TEST(ItemKnn, LongHistoriesAreCutToTheLatestDifferentItems) {
  ThreadPool pool(1);
  const ItemKnn knn(pool, lists({{}}), 9, {.nearest = {.longest_history = 3}});
  EXPECT_EQ(knn.latest(std::vector<uint32_t>{4, 1, 2, 2, 4, 8}), (std::vector<uint32_t>{2, 4, 8}));
  EXPECT_EQ(knn.latest(std::vector<uint32_t>{5, 1, 5}), (std::vector<uint32_t>{1, 5}));
}

TEST(ItemKnn, AHugeLogIsSampled) {
  ThreadPool pool(2);
  std::vector<std::vector<uint32_t>> histories(4000, std::vector<uint32_t>{0, 1});
  const ItemKnn knn(pool, lists(histories), 2, {.nearest = {.shrinkage = 0, .most_pairs = 4000}});
  EXPECT_EQ(knn.users(), 4000u);
  EXPECT_NEAR(static_cast<double>(knn.sampled_users()), 1000, 120);
  EXPECT_FLOAT_EQ(knn.neighbours_of(0)[0].similarity, 1);
}

TEST(ItemKnn, ItHasTheSameBitsOnAnyNumberOfThreads) {
  Rng rng(8, Stream::test);
  std::vector<std::vector<uint32_t>> histories(200);
  for (auto& history : histories)
    for (size_t n = rng.below(30); n > 0; --n) history.push_back(static_cast<uint32_t>(rng.below(300)));
  ThreadPool one(1), five(5);
  const ItemKnn a(one, lists(histories), 300, {.nearest = {.neighbours = 7}}),
      b(five, lists(histories), 300, {.nearest = {.neighbours = 7}});
  for (uint32_t item = 0; item < 300; ++item)
    EXPECT_TRUE(std::ranges::equal(a.neighbours_of(item), b.neighbours_of(item))) << item;
}

}  // namespace
}  // namespace pagoda::evaluate
