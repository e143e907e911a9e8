#include "math/bootstrap.h"

#include <gtest/gtest.h>

#include <cmath>

#include "core/rng.h"

namespace pagoda::math {
namespace {

TEST(Quantile, LiesStraightBetweenNeighbours) {
  const std::vector<double> values{1, 2, 4, 8};
  EXPECT_DOUBLE_EQ(quantile(values, 0), 1);
  EXPECT_DOUBLE_EQ(quantile(values, 1), 8);
  EXPECT_DOUBLE_EQ(quantile(values, 0.5), 3);
  EXPECT_DOUBLE_EQ(quantile(values, 0.25), 1.75);
}

// Two users, 0 and 1: a resample's mean is 0, 1/2 or 1 with chances 1/4, 1/2, 1/4.
TEST(Bootstrap, TwoUsersAreWorkedByHand) {
  ThreadPool pool(1);
  const std::vector<double> values{0, 1};
  const auto wide = bootstrap_means(pool, values, 1, {.resamples = 4000, .confidence = 0.95})[0];
  EXPECT_EQ(wide.low, 0);
  EXPECT_EQ(wide.high, 1);
  const auto narrow = bootstrap_means(pool, values, 1, {.resamples = 4000, .confidence = 0.4})[0];
  EXPECT_EQ(narrow.low, 0.5);
  EXPECT_EQ(narrow.high, 0.5);
}

TEST(Bootstrap, EqualUsersLeaveNoDoubt) {
  ThreadPool pool(1);
  const std::vector<double> values(30, 0.25);
  const auto interval = bootstrap_means(pool, values, 1, {})[0];
  EXPECT_EQ(interval.low, 0.25);
  EXPECT_EQ(interval.high, 0.25);
}

TEST(Bootstrap, OfManyUsersItIsTheNormalInterval) {
  ThreadPool pool(2);
  Rng rng(1, Stream::test);
  const size_t n = 2000;
  std::vector<double> values;
  double sum = 0, square = 0;
  for (size_t i = 0; i < n; ++i) {
    values.push_back(3 + 2 * rng.normal());
    sum += values.back();
  }
  for (const double value : values) square += std::pow(value - sum / n, 2);
  const double error = std::sqrt(square) / n;
  const auto interval = bootstrap_means(pool, values, 1, {.resamples = 4000})[0];
  EXPECT_NEAR(interval.low, sum / n - 1.96 * error, 0.15 * error);
  EXPECT_NEAR(interval.high, sum / n + 1.96 * error, 0.15 * error);
}

TEST(Bootstrap, NinetyFivePercentOfItsIntervalsHoldTheTruth) {
  ThreadPool pool(2);
  size_t held = 0;
  const size_t worlds = 300;
  for (size_t world = 0; world < worlds; ++world) {
    Rng rng(2, Stream::test, world);
    std::vector<double> values;
    for (size_t i = 0; i < 60; ++i) values.push_back(rng.uniform() < 0.3);  // hit or miss: the truth is 0.3
    const auto interval = bootstrap_means(pool, values, 1, {.resamples = 1000})[0];
    held += interval.low <= 0.3 && 0.3 <= interval.high;
  }
  // 95% of 300 is 285, with a deviation of 4; the percentile interval of 60 coarse values is a little too narrow.
  EXPECT_GE(held, 268u);
  EXPECT_LE(held, 297u);
}

// Two systems far apart from user to user, and never by more than a little on one user.
TEST(Bootstrap, PairingFindsASmallDifferenceThatUsersHide) {
  ThreadPool pool(2);
  Rng rng(3, Stream::test);
  std::vector<double> rows;  // a, b, b - a
  for (size_t i = 0; i < 500; ++i) {
    const double a = 10 * rng.normal(), b = a + 0.1 + 0.2 * rng.normal();
    rows.insert(rows.end(), {a, b, b - a});
  }
  const auto intervals = bootstrap_means(pool, rows, 3, {});
  EXPECT_GT(intervals[2].low, 0.05);
  EXPECT_LT(intervals[2].high, 0.15);
  EXPECT_LT(intervals[1].low, intervals[0].high) << "each alone says nothing";
  EXPECT_GT(intervals[1].high - intervals[1].low, 1);
}

TEST(Bootstrap, ColumnsSeeTheSameResamples) {
  ThreadPool pool(2);
  Rng rng(4, Stream::test);
  std::vector<double> rows, alone;
  for (size_t i = 0; i < 40; ++i) {
    const double value = rng.normal();
    rows.insert(rows.end(), {value, 2 * value + 1});
    alone.push_back(value);
  }
  const auto both = bootstrap_means(pool, rows, 2, {});
  const auto one = bootstrap_means(pool, alone, 1, {})[0];
  EXPECT_EQ(both[0].low, one.low);
  EXPECT_EQ(both[0].high, one.high);
  EXPECT_NEAR(both[1].low, 2 * one.low + 1, 1e-12);
  EXPECT_NEAR(both[1].high, 2 * one.high + 1, 1e-12);
}

TEST(Bootstrap, SameSeedSameBitsOnAnyNumberOfThreads) {
  Rng rng(5, Stream::test);
  std::vector<double> values;
  for (size_t i = 0; i < 101; ++i) values.push_back(rng.normal());
  ThreadPool one(1), five(5);
  const auto a = bootstrap_means(one, values, 1, {.seed = 7})[0], b = bootstrap_means(five, values, 1, {.seed = 7})[0];
  EXPECT_EQ(a.low, b.low);
  EXPECT_EQ(a.high, b.high);
  EXPECT_NE(a.low, bootstrap_means(one, values, 1, {.seed = 8})[0].low);
}

TEST(Bootstrap, UsersWithoutAFigureAreLeftOutOfItsMean) {
  ThreadPool pool(1);
  const auto some = bootstrap_means(pool, std::vector<double>{NAN, 3, NAN, 3}, 1, {})[0];
  EXPECT_EQ(some.low, 3);
  EXPECT_EQ(some.high, 3);
  EXPECT_TRUE(std::isnan(bootstrap_means(pool, std::vector<double>{NAN, NAN}, 1, {})[0].low));
  EXPECT_TRUE(std::isnan(bootstrap_means(pool, {}, 1, {})[0].high));
}

}  // namespace
}  // namespace pagoda::math
