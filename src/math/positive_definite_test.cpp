#include "math/positive_definite.h"

#include <gtest/gtest.h>

#include "core/rng.h"
#include "math/gemm.h"

namespace pagoda::math {
namespace {

// X'X + ridge I, of random rows: what a regression inverts.
Matrix<float> gram(size_t n, float ridge) {
  Rng rng(n, Stream::test);
  Matrix<float> x(n / 2 + 1, n), a(n, n);
  for (size_t i = 0; i < x.rows(); ++i)
    for (float& v : x.row(i)) v = static_cast<float>(rng.uniform() - 0.3);
  gemm(Op::transpose, Op::none, 1.0f, MatrixView<const float>(x), MatrixView<const float>(x), 0.0f,
       MatrixView<float>(a));
  for (size_t i = 0; i < n; ++i) a[i][i] += ridge;
  return a;
}

TEST(InvertPositiveDefinite, ALiteralCase) {
  Matrix<float> a(2, 2);
  a[0][0] = 4;
  a[0][1] = 2;
  a[1][0] = -99;  // not read
  a[1][1] = 3;
  ThreadPool pool(1);
  invert_positive_definite(pool, a);
  EXPECT_FLOAT_EQ(a[0][0], 3.0f / 8);
  EXPECT_FLOAT_EQ(a[0][1], -2.0f / 8);
  EXPECT_FLOAT_EQ(a[1][0], -2.0f / 8);
  EXPECT_FLOAT_EQ(a[1][1], 4.0f / 8);
}

// Sizes on both sides of the edges of blocks.
TEST(InvertPositiveDefinite, TimesTheMatrixIsOneOnAnyNumberOfThreads) {
  ThreadPool one(1), three(3);
  for (const size_t n : {1, 7, 191, 192, 193, 384, 500}) {
    const auto a = gram(n, 2);
    auto inverse = gram(n, 2), again = gram(n, 2);
    invert_positive_definite(three, inverse);
    invert_positive_definite(one, again);
    Matrix<float> product(n, n);
    gemm(Op::none, Op::none, 1.0f, MatrixView<const float>(a), MatrixView<const float>(inverse), 0.0f,
         MatrixView<float>(product));
    for (size_t i = 0; i < n; ++i)
      for (size_t j = 0; j < n; ++j) {
        ASSERT_NEAR(product[i][j], i == j ? 1 : 0, 1e-3) << n << ": " << i << ", " << j;
        ASSERT_EQ(inverse[i][j], again[i][j]);
        ASSERT_EQ(inverse[i][j], inverse[j][i]);
      }
  }
}

TEST(InvertPositiveDefinite, RefusesWhatIsNot) {
  ThreadPool pool(1);
  Matrix<float> a(2, 2);
  a[0][0] = 1;
  a[0][1] = 2;
  a[1][1] = 1;
  EXPECT_THROW(invert_positive_definite(pool, a), Error);
  Matrix<float> zero(300, 300);
  EXPECT_THROW(invert_positive_definite(pool, zero), Error);
}

}  // namespace
}  // namespace pagoda::math
