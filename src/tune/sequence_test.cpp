#include "tune/sequence.h"

#include <gtest/gtest.h>

namespace pagoda::tune {
namespace {

TEST(Sequence, points_are_the_same_for_the_same_seed_and_others_for_another) {
  EXPECT_EQ(sequence_point(1, 7, 5), sequence_point(1, 7, 5));
  EXPECT_NE(sequence_point(1, 7, 5), sequence_point(2, 7, 5));
  EXPECT_NE(sequence_point(1, 7, 5), sequence_point(1, 8, 5));
}

// Points as SciPy 1.x gives them (scipy.stats.qmc.Sobol, in the order of the Gray code), in 1024ths.
TEST(Sequence, without_its_shift_it_is_that_of_joe_and_kuo) {
  const auto origin = sequence_point(3, 0, 21);
  const auto unshifted = [&](uint64_t n, size_t k) {
    const auto bits = [](double at) { return static_cast<uint32_t>(at * 0x1p32); };
    return static_cast<double>(bits(sequence_point(3, n, 21)[k]) ^ bits(origin[k])) * 0x1p-32;
  };
  const std::vector<std::pair<uint64_t, std::vector<double>>> expected{
      {11, {832, 704, 832, 64, 448, 960, 576, 576, 576, 448, 832, 960, 64, 832, 192, 576, 192, 704, 576, 960, 576}},
      {37, {656, 944, 752, 848, 496, 784, 720, 16, 976, 976, 304, 48, 688, 144, 976, 400, 720, 784, 848, 368, 368}},
      {901, {647, 637, 837, 827, 289, 559, 377, 919, 199, 837, 997, 347, 247, 99, 509, 985, 99, 435, 933, 325, 277}},
  };
  for (const auto& [n, point] : expected)
    for (size_t k = 0; k < 21; ++k) EXPECT_EQ(unshifted(n, k) * 1024, point[k]) << n << ", dimension " << k;
}

TEST(Sequence, of_a_power_of_two_of_points_each_slice_of_a_dimension_has_one) {
  for (const uint64_t points : {8, 64, 256})
    for (size_t k = 0; k < kMostDimensions; ++k) {
      std::vector<size_t> slices(points);
      for (uint64_t n = points; n < 2 * points; ++n)
        ++slices[static_cast<size_t>(sequence_point(1, n, kMostDimensions)[k] * static_cast<double>(points))];
      EXPECT_EQ(slices, std::vector<size_t>(points, 1)) << points << " points, dimension " << k;
    }
}

}  // namespace
}  // namespace pagoda::tune
