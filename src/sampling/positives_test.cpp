#include "sampling/positives.h"

#include <gtest/gtest.h>

#include <cmath>

namespace pagoda::sampling {
namespace {

TEST(PositiveDownsampling, KeepsByWord2vecsRule) {
  // Shares .9, .09, .01 and none, t = .01: (sqrt(z / t) + 1) t / z.
  const std::vector<uint64_t> counts{900, 90, 10, 0};
  const PositiveDownsampling d(0.01, counts, 1);
  EXPECT_NEAR(d.probability(0), (std::sqrt(90.0) + 1) / 90, 1e-12);
  EXPECT_NEAR(d.probability(1), (3.0 + 1) / 9, 1e-12);
  EXPECT_EQ(d.probability(2), 1);
  EXPECT_EQ(d.probability(3), 1);
  EXPECT_EQ(d.kept_counts(counts), (std::vector<uint64_t>{105, 40, 10, 0}));
}

TEST(PositiveDownsampling, KeepsThatShareOfTheEventsAnewInEachEpoch) {
  const std::vector<uint64_t> counts{900, 90, 10};
  const PositiveDownsampling d(0.01, counts, 1);
  double kept = 0, both = 0;
  const int n = 20000;
  for (uint64_t event = 0; event < n; ++event) {
    kept += d.kept(0, event, 1);
    both += d.kept(0, event, 1) && d.kept(1, event, 1);
    EXPECT_TRUE(d.kept(0, event, 2));
    EXPECT_EQ(d.kept(3, event, 0), d.kept(3, event, 0));
  }
  const double p = 4.0 / 9;
  EXPECT_NEAR(kept / n, p, 4 * std::sqrt(p * (1 - p) / n));
  EXPECT_NEAR(both / n, p * p, 4 * std::sqrt(p * p * (1 - p * p) / n));
}

TEST(PositiveDownsampling, WithoutAThresholdKeepsEverything) {
  const PositiveDownsampling d(0, std::vector<uint64_t>{5, 5}, 1);
  EXPECT_FALSE(d.active());
  EXPECT_TRUE(d.kept(0, 0, 0));
  EXPECT_EQ(d.kept_counts(std::vector<uint64_t>{5, 5}), (std::vector<uint64_t>{5, 5}));
}

}  // namespace
}  // namespace pagoda::sampling
