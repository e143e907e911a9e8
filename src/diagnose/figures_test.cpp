#include "diagnose/figures.h"

#include <gtest/gtest.h>

namespace pagoda::diagnose {
namespace {

TEST(Figures, AreReadAtAGlance) {
  EXPECT_EQ(grouped(0), "0");
  EXPECT_EQ(grouped(999), "999");
  EXPECT_EQ(grouped(14511), "14,511");
  EXPECT_EQ(grouped(1234567), "1,234,567");
  EXPECT_EQ(percent(0), "0%");
  EXPECT_EQ(percent(0.834), "83%");
  EXPECT_EQ(percent(0.0271), "2.7%");
  EXPECT_EQ(percent(0.0031), "0.31%");
  EXPECT_EQ(percent(0.00001), "<0.01%");
  EXPECT_EQ(percent(1), "100%");
  EXPECT_EQ(significant(0.01234), "0.012");
  EXPECT_EQ(significant(2.71), "2.7");
  EXPECT_EQ(significant(1532.4), "1,532");
  EXPECT_EQ(significant(0), "0.0");
}

}  // namespace
}  // namespace pagoda::diagnose
