#include "math/rows_view.h"

#include <gtest/gtest.h>

#include <cmath>

namespace pagoda::math {
namespace {

// The value of a binary16 by its definition.
double value_of(uint16_t f16) {
  const int sign = f16 >> 15, exponent = f16 >> 10 & 31, fraction = f16 & 1023;
  const double size = exponent == 0 ? std::ldexp(fraction, -24) : std::ldexp(1024 + fraction, exponent - 25);
  return sign ? -size : size;
}

TEST(RowsView, EachF16IsTheFloatOfItsDefinitionAndComesBack) {
  std::vector<uint16_t> all;
  for (uint32_t bits = 0; bits < 1 << 16; ++bits)
    if ((bits >> 10 & 31) != 31) all.push_back(static_cast<uint16_t>(bits));  // neither infinite nor no number
  std::vector<float> wide(all.size());
  widen_f16(all.data(), all.size(), wide.data());
  for (size_t i = 0; i < all.size(); ++i) {
    ASSERT_EQ(wide[i], value_of(all[i]));
    ASSERT_EQ(to_f16(wide[i]), all[i]);
  }
  for (const size_t n : {1, 7, 8, 9, 15}) {  // what the vectors of instructions leave over
    std::vector<float> out(n + 1, -1);
    widen_f16(all.data() + 2000, n, out.data());
    EXPECT_TRUE(std::equal(out.begin(), out.end() - 1, wide.begin() + 2000));
    EXPECT_EQ(out[n], -1);
  }
}

TEST(RowsView, RowsReadTheSameWhateverTheyAreStoredIn) {
  Matrix<float> rows(5, 3);
  for (size_t i = 0; i < rows.size(); ++i) rows.data()[i] = static_cast<float>(i) / 8 - 1;
  Matrix<uint16_t> f16_values(5, 3);
  std::transform(rows.begin(), rows.end(), f16_values.begin(), to_f16);
  const RowsView f32(rows), f16{MatrixView<const uint16_t>(f16_values)};
  EXPECT_EQ(f16.precision(), RowPrecision::f16);
  EXPECT_EQ(f32.row_bytes(), 12u);
  EXPECT_EQ(f16.row_bytes(), 6u);
  const auto part = f16.slice_rows(2, 5);
  ASSERT_EQ(part.rows(), 3u);
  for (size_t r = 0; r < 3; ++r) EXPECT_EQ(part.row(r), f32.row(r + 2));
  Matrix<float> room;
  EXPECT_TRUE(std::ranges::equal(as_floats(f16, room).row(4), rows.row(4)));
  EXPECT_EQ(as_floats(f32, room).data(), rows.data());
}

}  // namespace
}  // namespace pagoda::math
