#include "index/rerank_pool.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>

#include "core/rng.h"

namespace pagoda::index {
namespace {

using Pairs = std::vector<std::pair<float, uint32_t>>;

// Offers scores the way a scan does: only those above the threshold are written.
void offer(RerankPool& list, const std::vector<float>& scores, size_t begin, size_t end) {
  CodeScan scan{};
  list.begin_scan(end - begin, scan);
  for (size_t i = begin; i < end; ++i)
    if (scores[i] > list.threshold()) {
      scan.scores[scan.found] = scores[i];
      scan.positions[scan.found++] = static_cast<uint32_t>(i);
    }
  list.end_scan(scan);
}

Pairs contents(const RerankPool& list) {
  Pairs pairs;
  for (size_t i = 0; i < list.size(); ++i) pairs.emplace_back(list.scores()[i], list.positions()[i]);
  std::sort(pairs.begin(), pairs.end());
  return pairs;
}

Pairs expected(const std::vector<float>& scores, size_t k, float margin, float min_score) {
  auto sorted = scores;
  std::sort(sorted.begin(), sorted.end(), std::greater<>());
  Pairs pairs;
  for (uint32_t i = 0; i < scores.size(); ++i)
    if (scores[i] >= min_score && (sorted.size() < k || scores[i] >= sorted[k - 1] - margin))
      pairs.emplace_back(scores[i], i);
  std::sort(pairs.begin(), pairs.end());
  return pairs;
}

TEST(RerankPool, TheKthLargestIsThatOfASort) {
  Rng rng(1, Stream::test);
  std::vector<float> scratch;
  for (const size_t n : {1, 2, 17, 1000, 5000})
    for (int kind = 0; kind < 4; ++kind) {
      std::vector<float> x(n);
      for (auto& v : x) {
        const auto normal = static_cast<float>(rng.normal());
        v = kind == 0 ? normal : kind == 1 ? 3.0f : kind == 2 ? std::round(normal) : std::exp(30 * normal);
      }
      auto sorted = x;
      std::sort(sorted.begin(), sorted.end(), std::greater<>());
      for (const size_t k : {size_t{1}, n / 3 + 1, n}) ASSERT_EQ(kth_largest(x.data(), n, k, scratch), sorted[k - 1]);
    }
}

TEST(RerankPool, HoldsWhatIsWithinTheMarginOfTheKthWhateverTheOrderAndTheCuts) {
  Rng rng(2, Stream::test);
  RerankPool list;
  for (const size_t n : {1, 100, 20000})
    for (const size_t k : {1, 50, 3000})
      for (const float margin : {0.0f, 0.01f, 0.5f})
        for (const float min_score : {-std::numeric_limits<float>::infinity(), 1.0f}) {
          std::vector<float> scores(n);
          for (auto& s : scores) s = static_cast<float>(rng.normal());
          if (n == 100) std::sort(scores.begin(), scores.end());
          list.reset(k, margin, min_score);
          for (size_t at = 0; at < n;) {
            const size_t end = std::min<size_t>(n, at + 1 + rng.below(700));
            offer(list, scores, at, end);
            if (rng.below(10) == 0) list.prune();
            at = end;
          }
          list.prune();
          ASSERT_EQ(contents(list), expected(scores, k, margin, min_score)) << n << " " << k << " " << margin;
        }
}

TEST(RerankPool, OnesThatFollowHoldWhatOneAloneWouldOnceMerged) {
  Rng rng(3, Stream::test);
  std::vector<float> scores(15000);
  for (auto& s : scores) s = static_cast<float>(rng.below(300));
  RerankPool whole, parts[2];
  for (int round = 0; round < 2; ++round) {  // they keep their memory, and nothing else
    whole.reset(500, 2.0f);
    offer(whole, scores, 0, 4000);
    whole.prune();
    const float known = whole.threshold();
    for (auto& part : parts) {
      part.fork_from(whole);
      EXPECT_EQ(part.threshold(), known);
      EXPECT_EQ(part.count_fresh(-1000), 0u) << "none of what it began with is fresh";
    }
    offer(whole, scores, 4000, 7000);
    offer(parts[0], scores, 7000, 11000);
    offer(parts[1], scores, 11000, 15000);
    parts[0].prune();
    EXPECT_GE(parts[0].threshold(), known);
    for (const auto& part : parts) whole.merge(part);
    whole.prune();
    EXPECT_EQ(contents(whole), expected(scores, 500, 2.0f, 0.0f));
  }
}

TEST(RerankPool, KnowsWhatCameSinceTheMark) {
  RerankPool list;
  list.reset(4, 0.5f);
  const std::vector<float> scores{1, 5, 2, 7, 6, 3, 8, 5.25f};
  offer(list, scores, 0, 4);
  list.mark();
  offer(list, scores, 4, 8);
  list.prune();  // 8 7 6 5.25 and, within the margin, 5
  EXPECT_EQ(list.size(), 5u);
  EXPECT_EQ(list.count_fresh(5.25f), 3u);
  EXPECT_EQ(list.count_fresh(7.0f), 1u);
}

TEST(RerankPool, ManyEqualScoresAllStay) {
  RerankPool list;
  list.reset(10, 0.0f);
  const std::vector<float> scores(30000, 0.25f);
  for (size_t at = 0; at < scores.size(); at += 1000) offer(list, scores, at, at + 1000);
  list.prune();
  EXPECT_EQ(list.size(), scores.size());
  EXPECT_EQ(list.kth(), 0.25f);
}

}  // namespace
}  // namespace pagoda::index
