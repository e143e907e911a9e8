#include "math/top_k.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "core/rng.h"

namespace pagoda::math {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

using Pairs = std::vector<std::pair<float, uint32_t>>;  // score, row

Pairs pairs(std::span<const uint64_t> keys) {
  Pairs out;
  for (const uint64_t key : keys) out.emplace_back(score_of_key(key), row_of_key(key));
  return out;
}

Pairs sorted_best(std::span<const float> scores, size_t k, float min_score) {
  Pairs all;
  for (uint32_t row = 0; row < scores.size(); ++row)
    if (scores[row] >= min_score && scores[row] > -kInfinity) all.emplace_back(scores[row], row);
  std::sort(all.begin(), all.end(),
            [](auto& a, auto& b) { return a.first != b.first ? a.first > b.first : a.second < b.second; });
  all.resize(std::min(all.size(), k));
  return all;
}

TEST(TopK, KeysOrderAsScoresDoAndTiesByRowRising) {
  const float rising[] = {-kInfinity, -3.5f, -1e-45f, 0.0f, 1e-45f, 2.0f, 3e38f, kInfinity};
  for (size_t i = 0; i + 1 < std::size(rising); ++i) {
    EXPECT_LT(rank_key(rising[i], 0), rank_key(rising[i + 1], UINT32_MAX - 1));
    EXPECT_EQ(score_of_key(rank_key(rising[i], 7)), rising[i]);
    EXPECT_EQ(row_of_key(rank_key(rising[i], 7)), 7u);
  }
  EXPECT_GT(rank_key(1.0f, 3), rank_key(1.0f, 4));
  EXPECT_EQ(rank_key(-0.0f, 3), rank_key(0.0f, 3));
}

TEST(TopK, KeepsTheBestOfALiteralList) {
  TopK best;
  best.reset(3);
  const float first[] = {0.5f, kNan, 2.0f, -kInfinity}, second[] = {2.0f, 0.5f, -1.0f};
  best.offer(first, 10);
  const uint32_t rows[] = {20, 30, 31};
  best.offer(second, rows);
  EXPECT_EQ(pairs(best.take()), (Pairs{{2.0f, 12}, {2.0f, 20}, {0.5f, 10}}));
  EXPECT_TRUE(best.take().empty());
}

TEST(TopK, MinScoreItselfIsStillGoodEnough) {
  TopK best;
  best.reset(5, 0.5f);
  const float scores[] = {0.5f, 0.49999997f, 0.50000006f};
  best.offer(scores, 0u);
  EXPECT_EQ(pairs(best.take()), (Pairs{{0.50000006f, 2}, {0.5f, 0}}));
  best.reset(5, 0.0f);
  const float zeros[] = {-0.0f, 0.0f, -1e-45f};
  best.offer(zeros, 0u);
  EXPECT_EQ(pairs(best.take()), (Pairs{{0.0f, 0}, {0.0f, 1}}));
}

TEST(TopK, AgreesWithSortingInWhateverOrderAndPortionsScoresCome) {
  Rng rng(1, Stream::test);
  TopK best;
  for (const size_t n : {1, 5, 255, 256, 257, 1000, 5000, 20000})
    for (const size_t k : {0, 1, 2, 20, 100, 1001, 6000})
      for (int kind = 0; kind < 5; ++kind) {
        std::vector<float> scores(n);
        for (size_t i = 0; i < n; ++i) {
          const float x = static_cast<float>(rng.normal());
          const float ramp = static_cast<float>(i);
          scores[i] = kind == 0 ? x : kind == 1 ? std::round(x * 2) : kind == 2 ? ramp : kind == 3 ? -ramp : 1.0f;
        }
        const float min_score = n % 2 ? -kInfinity : 0.25f;
        best.reset(k, min_score);
        for (size_t at = 0; at < n;) {
          const size_t portion = std::min<size_t>(n - at, 1 + rng.below(700));
          best.offer({scores.data() + at, portion}, static_cast<uint32_t>(at));
          at += portion;
        }
        ASSERT_EQ(pairs(best.take()), sorted_best(scores, k, min_score)) << n << " " << k << " " << kind;
      }
}

TEST(TopK, MergesKeysInAnyOrder) {
  Rng rng(2, Stream::test);
  std::vector<float> scores(9000);
  for (auto& s : scores) s = static_cast<float>(rng.below(50));
  std::vector<uint32_t> order(scores.size());
  for (uint32_t i = 0; i < order.size(); ++i) order[i] = i;
  rng.shuffle(std::span(order));
  TopK best;
  for (const size_t k : {0, 1, 300}) {
    best.reset(k);
    for (const uint32_t row : order) best.offer_key(rank_key(scores[row], row));
    EXPECT_EQ(pairs(best.take()), sorted_best(scores, k, -kInfinity));
  }
}

TEST(TopK, SortsKeysLikeTheLibrary) {
  Rng rng(3, Stream::test);
  for (const size_t n : {0, 1, 255, 256, 3000})
    for (const uint64_t different : {3, 1000000}) {
      std::vector<uint64_t> keys(n);
      for (size_t i = 0; i < n; ++i)
        keys[i] = rank_key(static_cast<float>(rng.below(different)) - 1.5f, static_cast<uint32_t>(rng.below(1u << 31)));
      auto expected = keys;
      std::sort(expected.begin(), expected.end(), std::greater<>());
      sort_keys(keys);
      EXPECT_EQ(keys, expected);
    }
}

}  // namespace
}  // namespace pagoda::math
