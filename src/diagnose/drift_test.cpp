#include "diagnose/drift.h"

#include <gtest/gtest.h>

#include "core/rng.h"

namespace pagoda::diagnose {
namespace {

using Counts = std::vector<uint32_t>;

TEST(TotalVariation, ByHand) {
  EXPECT_DOUBLE_EQ(total_variation(Counts{3, 1}, Counts{1, 3}), 0.5);
  EXPECT_DOUBLE_EQ(total_variation(Counts{3, 1}, Counts{6, 2}), 0);
  EXPECT_DOUBLE_EQ(total_variation(Counts{3, 0}, Counts{0, 5}), 1);
}

TEST(BinomialDeviation, ByHand) {
  EXPECT_NEAR(binomial_deviation(1, 0.5), 0.5, 1e-15);
  EXPECT_NEAR(binomial_deviation(2, 0.5), 0.5, 1e-15);
  EXPECT_NEAR(binomial_deviation(3, 1. / 3), 16. / 27, 1e-12);
  EXPECT_EQ(binomial_deviation(0, 0.5), 0);
}

TEST(BinomialDeviation, AgreesWithTheSumOverAllOutcomes) {
  for (const uint64_t m : {5u, 12u, 40u})
    for (const double p : {0.1, 0.37, 0.8}) {
      double probability = std::pow(1 - p, m), sum = 0;
      for (uint64_t x = 0; x <= m; ++x) {
        sum += probability * std::abs(static_cast<double>(x) - static_cast<double>(m) * p);
        probability *= static_cast<double>(m - x) / static_cast<double>(x + 1) * p / (1 - p);
      }
      EXPECT_NEAR(binomial_deviation(m, p), sum, 1e-10) << m << " trials, p = " << p;
    }
}

Counts sample(const std::vector<double>& weights, int clicks, Rng& rng) {
  double total = 0;
  for (const double w : weights) total += w;
  Counts counts(weights.size());
  for (int c = 0; c < clicks; ++c) {
    double at = rng.uniform() * total;
    size_t i = 0;
    while (i + 1 < weights.size() && at >= weights[i]) at -= weights[i++];
    ++counts[i];
  }
  return counts;
}

TEST(ChanceVariation, IsWhatTwoSamplesOfOnePopularityDifferBy) {
  std::vector<double> weights;
  for (int i = 1; i <= 200; ++i) weights.push_back(1.0 / i);
  Rng rng(2, Stream::test);
  double seen = 0, expected = 0;
  for (int trial = 0; trial < 60; ++trial) {
    const auto a = sample(weights, 500, rng), b = sample(weights, 900, rng);
    seen += total_variation(a, b);
    expected += chance_variation(a, b);
  }
  EXPECT_NEAR(seen / expected, 1, 0.02);
}

TEST(Overlap, IsOneOfOnePopularityZeroOfDisjointOnesAndSilentOnSparseData) {
  EXPECT_NEAR(*overlap(Counts{500, 300}, Counts{500, 300}), 1, 1e-12);
  EXPECT_NEAR(*overlap(Counts{500, 0}, Counts{0, 500}), 0, 1e-12);
  EXPECT_FALSE(overlap(Counts{1, 1, 0, 0}, Counts{0, 0, 1, 1}));  // one click an item: chance leaves nothing in common
}

// Ten periods of 400 clicks, a second apart: period p has half of them on item p, half on item p + 1.
TEST(Drift, FollowsItemsThatComeAndGo) {
  std::vector<uint32_t> item;
  std::vector<int64_t> time_us;
  for (uint32_t row = 0; row < 4000; ++row) {
    item.push_back(row / 400 + row % 2);
    time_us.push_back(row * 2500);
  }
  const auto d = drift(item, time_us, 11, 10);
  ASSERT_EQ(d.unseen.size(), 10u);
  EXPECT_EQ(d.unseen[0], 0);
  for (size_t p = 1; p < 10; ++p) EXPECT_DOUBLE_EQ(d.unseen[p], 0.5);
  for (const double v : d.next_variation) EXPECT_DOUBLE_EQ(v, 0.5);
  EXPECT_NEAR(*d.next_overlap, 0.5 / (1 - d.next_chance[0]), 1e-12);
  EXPECT_NEAR(*d.ends_overlap, 0, 1e-12);
  EXPECT_EQ(d.period_us, 1000000);
  EXPECT_LT(*d.half_life_us, 1e6);
}

TEST(Drift, OfAPopularityThatHoldsIsNoneAndTheOrderOfTheFileIsNothing) {
  std::vector<double> weights{8, 4, 2, 1, 1};
  Rng rng(4, Stream::test);
  std::vector<uint32_t> item;
  std::vector<int64_t> time_us;
  for (uint32_t row = 0; row < 20000; ++row) {
    const auto counts = sample(weights, 1, rng);
    item.push_back(static_cast<uint32_t>(std::find(counts.begin(), counts.end(), 1u) - counts.begin()));
    time_us.push_back(20000 - static_cast<int64_t>(row));  // from the last to the first
  }
  const auto d = drift(item, time_us, 5, 10);
  EXPECT_GT(*d.next_overlap, 0.98);
  EXPECT_GT(*d.ends_overlap, 0.96);
  EXPECT_EQ(d.unseen.back(), 0);
  EXPECT_GT(d.period_us, 0);
}

TEST(Drift, TheHalfLifeIsThatOfAnOverlapThatFallsExponentially) {
  // Period t has 2^-t of its clicks on an old item, the rest on one of its own: overlap with a period before is 2^-t of
  // it.
  std::vector<uint32_t> item;
  std::vector<int64_t> time_us;
  const uint32_t rows = 1 << 14;
  for (uint32_t t = 0; t < 2; ++t)
    for (uint32_t row = 0; row < rows; ++row) {
      item.push_back(row % (1u << t) == 0 ? 0 : t);
      time_us.push_back(int64_t{t} * 1000000);
    }
  EXPECT_NEAR(*drift(item, time_us, 2, 2).half_life_us, 1e6, 2e4);
}

}  // namespace
}  // namespace pagoda::diagnose
