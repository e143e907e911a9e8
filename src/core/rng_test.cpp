#include "core/rng.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <set>
#include <vector>

namespace pagoda {
namespace {

std::vector<uint64_t> first_numbers(Rng rng, size_t n = 8) {
  std::vector<uint64_t> numbers(n);
  for (auto& x : numbers) x = rng();
  return numbers;
}

double chi_square(const std::vector<size_t>& counts, double expected) {
  double sum = 0;
  for (const size_t c : counts)
    sum += (static_cast<double>(c) - expected) * (static_cast<double>(c) - expected) / expected;
  return sum;
}

TEST(Rng, TheSameKeyGivesTheSameNumbers) {
  EXPECT_EQ(first_numbers(Rng(1, Stream::shuffle, 7, 3)), first_numbers(Rng(1, Stream::shuffle, 7, 3)));
}

TEST(Rng, SeedStreamStepAndLaneEachChangeEveryNumber) {
  std::set<uint64_t> seen;
  for (const auto& rng : {Rng(1, Stream::shuffle, 7, 3), Rng(2, Stream::shuffle, 7, 3), Rng(1, Stream::negatives, 7, 3),
                          Rng(1, Stream::shuffle, 8, 3), Rng(1, Stream::shuffle, 7, 4), Rng(1, Stream::shuffle, 3, 7)})
    for (const uint64_t x : first_numbers(rng)) seen.insert(x);
  EXPECT_EQ(seen.size(), 6u * 8u);
}

TEST(Rng, NumbersDoNotChangeFromOneBuildToTheNext) {
  // A checkpoint resumed by a later build draws on from here: these are promised.
  EXPECT_EQ(mix64(0), 0xe220a8397b1dcdafull);
  EXPECT_EQ(first_numbers(Rng(1, Stream::test), 2),
            (std::vector<uint64_t>{0x8f6ef6cf45f56957ull, 0x7396e7e694dd9327ull}));
}

TEST(Rng, BelowIsUniformByChiSquare) {
  for (const uint64_t n : {2u, 10u, 97u}) {
    Rng rng(5, Stream::test, n);
    std::vector<size_t> counts(n);
    constexpr size_t kDraws = 200000;
    for (size_t i = 0; i < kDraws; ++i) {
      const uint64_t x = rng.below(n);
      ASSERT_LT(x, n);
      ++counts[x];
    }
    const double freedom = static_cast<double>(n - 1);
    EXPECT_LT(chi_square(counts, static_cast<double>(kDraws) / static_cast<double>(n)),
              freedom + 5 * std::sqrt(2 * freedom));
  }
}

TEST(Rng, BelowHasNoBiasWhereTheRangeDoesNotDivide) {
  // Of 3 x 2^62 values, 2^64 mod n is a third of n: without rejection the low third of the range would come twice as
  // often as the rest.
  const uint64_t n = uint64_t{3} << 62;
  Rng rng(6, Stream::test);
  std::vector<size_t> thirds(3);
  constexpr size_t kDraws = 90000;
  for (size_t i = 0; i < kDraws; ++i) ++thirds[rng.below(n) >> 62];
  EXPECT_LT(chi_square(thirds, kDraws / 3.0), 2 + 5 * 2.0);
}

TEST(Rng, LanesOfOneStepAreIndependentByChiSquare) {
  // The first draw of consecutive lanes, as when each row of a batch has its own.
  std::vector<size_t> counts(64);
  constexpr size_t kLanes = 64000;
  for (size_t lane = 0; lane < kLanes; ++lane) ++counts[Rng(9, Stream::test, 3, lane).below(64)];
  EXPECT_LT(chi_square(counts, kLanes / 64.0), 63 + 5 * std::sqrt(2 * 63.0));
}

TEST(Rng, UniformAndNormalHaveTheirMoments) {
  Rng rng(7, Stream::test);
  constexpr size_t kDraws = 400000;
  double uniform_sum = 0, sum = 0, squares = 0;
  for (size_t i = 0; i < kDraws; ++i) {
    const double u = rng.uniform();
    ASSERT_TRUE(u >= 0 && u < 1);
    uniform_sum += u;
    const double z = rng.normal();
    sum += z;
    squares += z * z;
  }
  EXPECT_NEAR(uniform_sum / kDraws, 0.5, 0.0025);  // 5 standard errors
  EXPECT_NEAR(sum / kDraws, 0, 0.008);
  EXPECT_NEAR(squares / kDraws, 1, 0.0115);
}

TEST(Rng, ShuffleReachesEveryOrderEquallyOften) {
  Rng rng(8, Stream::test);
  std::vector<size_t> counts(27);
  constexpr size_t kDraws = 60000;
  for (size_t i = 0; i < kDraws; ++i) {
    std::vector<size_t> v = {0, 1, 2};
    rng.shuffle(std::span(v));
    ++counts[v[0] * 9 + v[1] * 3 + v[2]];
  }
  std::erase(counts, 0u);
  ASSERT_EQ(counts.size(), 6u);
  EXPECT_LT(chi_square(counts, kDraws / 6.0), 5 + 5 * std::sqrt(10.0));
}

}  // namespace
}  // namespace pagoda
