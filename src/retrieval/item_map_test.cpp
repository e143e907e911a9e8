#include "retrieval/item_map.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "core/rng.h"

namespace pagoda::retrieval {
namespace {

math::Matrix<float> random_rows(size_t n, std::vector<float> widths) {
  Rng rng(7, Stream::bootstrap);
  math::Matrix<float> rows(n, widths.size());
  for (size_t i = 0; i < n; ++i)
    for (size_t d = 0; d < widths.size(); ++d) rows[i][d] = 3 + widths[d] * (static_cast<float>(rng.uniform()) - 0.5f);
  return rows;
}

TEST(ItemMap, ItsAxesAreTheTwoComponentsThatSpreadMost) {
  const auto rows = random_rows(2000, {1, 9, 2, 5});
  const auto map = make_item_map(rows, 5000);
  EXPECT_NEAR(map.axes[0][1], 1, 1e-2);
  EXPECT_NEAR(map.axes[1][3], 1, 1e-2);
  EXPECT_NEAR(map.variance, (81. + 25) / (1 + 81 + 4 + 25), 0.01);
  for (const float x : map.centre) EXPECT_NEAR(x, 3, 0.2);
  ASSERT_EQ(map.items.size(), 2000u);
  for (size_t i = 0; i < 2000; i += 100)
    for (size_t a = 0; a < 2; ++a) {
      double along = 0;
      for (size_t d = 0; d < 4; ++d) along += map.axes[a][d] * (rows[i][d] - map.centre[d]);
      EXPECT_NEAR(map.points[i][a], along, 1e-4);
    }
}

TEST(ItemMap, ItIsOfABoundedSampleThatIsEvenlySpread) {
  const auto map = make_item_map(random_rows(1001, {1, 2}), 100);
  ASSERT_EQ(map.items.size(), 91u);
  EXPECT_EQ(map.items[1] - map.items[0], 11u);
  EXPECT_EQ(map.items.back(), 990u);
}

TEST(ItemMap, ItBearsWhatHasNoSecondDirectionNoNumberOrNoRows) {
  math::Matrix<float> line(3, 3);
  for (size_t i = 0; i < 3; ++i) {
    line[i][0] = static_cast<float>(i);
    line[i][1] = line[i][2] = 0;
  }
  auto map = make_item_map(line, 10);
  EXPECT_EQ(map.variance, 1);
  EXPECT_EQ(map.length, 1);
  for (size_t i = 0; i < 3; ++i) EXPECT_EQ(map.points[i][1], 0);
  line[1][2] = std::numeric_limits<float>::quiet_NaN();
  map = make_item_map(line, 10);
  EXPECT_EQ(map.items, (std::vector<uint32_t>{0, 2}));
  EXPECT_EQ(map.variance, 1);
  map = make_item_map(math::Matrix<float>(0, 3), 10);
  EXPECT_TRUE(map.items.empty());
  EXPECT_EQ(map.variance, 0);
}

}  // namespace
}  // namespace pagoda::retrieval
