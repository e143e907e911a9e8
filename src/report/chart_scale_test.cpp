#include "report/chart_scale.h"

#include <gtest/gtest.h>

namespace pagoda::report {
namespace {

using Ticks = std::vector<double>;
using Labels = std::vector<std::string>;

void expect_ticks(const Ticks& got, const Ticks& expected) {
  ASSERT_EQ(got.size(), expected.size()) << testing::PrintToString(got);
  for (size_t i = 0; i < got.size(); ++i) EXPECT_NEAR(got[i], expected[i], 1e-9 * (1 + std::abs(expected[i])));
}

TEST(ChartScale, StepsAreOneTwoOrFive) {
  EXPECT_DOUBLE_EQ(nice_step(0, 1, 10), 0.1);
  EXPECT_DOUBLE_EQ(nice_step(0, 1, 9), 0.2);
  EXPECT_DOUBLE_EQ(nice_step(0, 1, 4), 0.5);
  EXPECT_DOUBLE_EQ(nice_step(0, 11, 10), 2);
  EXPECT_DOUBLE_EQ(nice_step(0, 51, 10), 10);
}

TEST(ChartScale, TicksAreTheRoundNumbersInside) {
  expect_ticks(nice_ticks(0, 0.43, 5), {0, 0.1, 0.2, 0.3, 0.4});
  expect_ticks(nice_ticks(0, 0.3, 3), {0, 0.1, 0.2, 0.3});
  expect_ticks(nice_ticks(1, 17, 5), {5, 10, 15});
  expect_ticks(nice_ticks(-0.7, 0.7, 4), {-0.5, 0, 0.5});
  expect_ticks(nice_ticks(12345, 67890, 5), {20000, 40000, 60000});
}

TEST(ChartScale, LogTicksAreOneTwoFiveThenPowers) {
  expect_ticks(log_ticks(20, 1000), {20, 50, 100, 200, 500, 1000});
  expect_ticks(log_ticks(1e-5, 1), {1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1});
  expect_ticks(log_ticks(1, 1e14), {1, 1e2, 1e4, 1e6, 1e8, 1e10, 1e12, 1e14});
  expect_ticks(log_ticks(30, 70), {30, 40, 50, 60, 70});
}

TEST(ChartScale, LabelsShareDecimalsAndUnit) {
  EXPECT_EQ(tick_labels({0, 0.25, 0.5}, false), (Labels{"0.00", "0.25", "0.50"}));
  EXPECT_EQ(tick_labels({0, 0.1 + 0.2, 0.6}, false), (Labels{"0.0", "0.3", "0.6"}));
  EXPECT_EQ(tick_labels({0, 2500, 5000}, false), (Labels{"0", "2,500", "5,000"}));
  EXPECT_EQ(tick_labels({0, 50000, 100000}, false), (Labels{"0", "50k", "100k"}));
  EXPECT_EQ(tick_labels({500000, 1000000, 1500000}, false), (Labels{"0.5M", "1.0M", "1.5M"}));
  EXPECT_EQ(tick_labels({0, 0.05, 0.1}, true), (Labels{"0%", "5%", "10%"}));
  EXPECT_EQ(tick_labels({-1500, 0}, false), (Labels{"-1,500", "0"}));
}

TEST(ChartScale, ANumberByItselfHasAboutFourDigits) {
  EXPECT_EQ(number_text(0.18243, false), "0.1824");
  EXPECT_EQ(number_text(0.18243, true), "18.2%");
  EXPECT_EQ(number_text(0.0012, true), "0.12%");
  EXPECT_EQ(number_text(1234.4, false), "1,234");
  EXPECT_EQ(number_text(20, false), "20");
  EXPECT_EQ(number_text(4.3126, false), "4.313");
  EXPECT_EQ(number_text(12345678, false), "12.35M");
  EXPECT_EQ(number_text(0.0000251, false), "2.51e-05");
  EXPECT_EQ(number_text(0, false), "0");
  EXPECT_EQ(number_text(0.0 / 0.0, false), "–");
}

TEST(ChartScale, ALogScalePutsEqualRatiosAtEqualDistances) {
  const Scale scale{.low = 1, .high = 100, .from = 0, .to = 200, .log = true};
  EXPECT_DOUBLE_EQ(scale.at(1), 0);
  EXPECT_DOUBLE_EQ(scale.at(10), 100);
  EXPECT_DOUBLE_EQ(scale.at(100), 200);
  const Scale down{.low = 0, .high = 4, .from = 300, .to = 100};
  EXPECT_DOUBLE_EQ(down.at(1), 250);
}

}  // namespace
}  // namespace pagoda::report
