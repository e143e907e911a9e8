#include "index/stop_rule.h"

#include <gtest/gtest.h>

#include <cmath>

namespace pagoda::index {
namespace {

TEST(Tail, IsTheShareOfHitsAndNeverRisesWithTheGap) {
  GapHistogram histogram;
  histogram.observe(0.0f, 100, 50);
  histogram.observe(0.05f, 100, 70);  // one bin
  histogram.observe(1.0f, 1000, 100);
  histogram.observe(2.0f, 1000, 300);  // by chance more: what lies before is at least as much
  histogram.observe(3.0f, 1000, 0);
  histogram.fit();
  EXPECT_FLOAT_EQ(histogram.share(0.0f), 0.6f);
  EXPECT_FLOAT_EQ(histogram.share(1.0f), 0.3f);
  EXPECT_FLOAT_EQ(histogram.share(2.0f), 0.3f);
  EXPECT_FLOAT_EQ(histogram.share(3.0f), 0);
  EXPECT_FLOAT_EQ(histogram.share(-100.0f), 0.6f);
  EXPECT_FLOAT_EQ(histogram.share(100.0f), 0);
  EXPECT_FLOAT_EQ(histogram.end(), 2.125f);
}

RecallCurve curve() {
  return {.ks = {10, 1000},
          .histograms = {},
          .stop_slacks = {0.01f, 0.1f, 1.0f},
          .recalls = {1.0f, 0.9f, 0.5f, 0.98f, 0.94f, 0.6f},
          .rows = {0.5f, 0.1f, 0.01f, 0.6f, 0.3f, 0.1f}};
}

TEST(RecallCurve, GivesTheSlackThatWasMeasured) {
  EXPECT_NEAR(curve().stop_slack(10, 0.9), 0.1, 1e-6);
  EXPECT_NEAR(curve().stop_slack(10, 0.95), std::sqrt(0.01 * 0.1), 1e-6);  // half way, in logarithms
  EXPECT_NEAR(curve().stop_slack(1000, 0.96), std::sqrt(0.01 * 0.1), 1e-6);
  EXPECT_NEAR(curve().stop_slack(100, 0.95), std::sqrt(0.01 * 0.1), 1e-6);  // the smaller of two
  EXPECT_NEAR(curve().stop_slack(1, 0.9), 0.1, 1e-6);
  EXPECT_NEAR(curve().stop_slack(1e9, 0.94), 0.1, 1e-6);
  EXPECT_NEAR(curve().stop_slack(10, 0.3), 1.0, 1e-6);
}

TEST(RecallCurve, TheTailIsThatOfTheNearestK) {
  auto c = curve();
  c.histograms.resize(2);
  for (const double k : {1, 10, 99}) EXPECT_EQ(&c.histogram(k), &c.histograms[0]) << k;
  for (const double k : {101, 1000, 5000}) EXPECT_EQ(&c.histogram(k), &c.histograms[1]) << k;
}

TEST(RecallCurve, OfARecallThatNoSlackReachedEveryListIsProbed) {
  EXPECT_LT(curve().stop_slack(1000, 0.99), 0);
  EXPECT_LT(curve().stop_slack(100, 0.99), 0);
  EXPECT_LT(curve().stop_slack(10, 1), 0);
  EXPECT_LT(RecallCurve{}.stop_slack(10, 0.5), 0);
  EXPECT_EQ(curve().rows_scored(1000, 0.99), 1);
  EXPECT_NEAR(curve().rows_scored(10, 0.95), 0.3, 1e-6);
  // From k = 10 to 1000 the rows go from .26 to .3; from there on the same power of k holds, and all rows are the most.
  EXPECT_NEAR(curve().rows_scored(2000, 0.94), 0.3 * std::pow(2, std::log(0.3 / 0.26) / std::log(100)), 1e-6);
  auto steep = curve();
  steep.rows[1] = steep.rows[0] = 0.01f;
  EXPECT_GT(steep.rows_scored(2000, 0.94), 0.3 * 1.5);
  EXPECT_EQ(steep.rows_scored(1e9, 0.94), 1);
}

}  // namespace
}  // namespace pagoda::index
