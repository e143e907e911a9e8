#include "simulate/weighted_draw.h"

#include <gtest/gtest.h>

namespace pagoda::simulate {

TEST(WeightedDraw, DrawsRowsInProportionToTheirWeights) {
  const std::vector<double> weights{0.5, 0, 3, 1, 0, 12, 1e-9, 3.5};
  const WeightedDraw draw(weights);
  Rng rng(1, Stream::test);
  constexpr int kDraws = 400000;
  std::vector<int> count(weights.size());
  for (int i = 0; i < kDraws; ++i) ++count[draw.draw(rng)];
  double chi_square = 0;
  for (size_t row : {0, 2, 3, 5, 7}) {
    const double expected = kDraws * weights[row] / 20;
    chi_square += (count[row] - expected) * (count[row] - expected) / expected;
  }
  EXPECT_LT(chi_square, 18.5);  // 4 degrees of freedom, p = .001
  EXPECT_EQ(count[1] + count[4], 0);
}

TEST(WeightedDraw, NeverDrawsARowOfNoWeightHoweverTheOthersRound) {
  std::vector<double> weights(1001, 0.1);
  for (size_t row = 0; row < weights.size(); row += 2) weights[row] = 0;
  const WeightedDraw draw(weights);
  Rng rng(2, Stream::test);
  for (int i = 0; i < 200000; ++i) ASSERT_EQ(draw.draw(rng) % 2, 1u);
}

TEST(WeightedDraw, IsEmptyWithoutAnyWeight) {
  EXPECT_TRUE(WeightedDraw().empty());
  EXPECT_TRUE(WeightedDraw(std::vector<double>{0, 0}).empty());
  EXPECT_FALSE(WeightedDraw(std::vector<double>{0, 1}).empty());
}

}  // namespace pagoda::simulate
