#include "math/gemm.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <iterator>
#include <limits>
#include <vector>

#include "core/rng.h"

namespace pagoda::math {
namespace {

// A matrix inside a wider one, so that its stride is larger than its columns; what lies between is NaN.
template <class T>
struct Padded {
  Matrix<T> wide;
  MatrixView<T> view;
  Padded(size_t rows, size_t cols, size_t padding, Rng& rng) : wide(rows, cols + padding) {
    wide.fill(std::numeric_limits<T>::quiet_NaN());
    view = wide.view().slice_cols(0, cols);
    for (size_t r = 0; r < rows; ++r)
      for (T& v : view.row(r)) v = static_cast<T>(rng.normal());
  }
};

template <class T>
T element(Op op, MatrixView<const T> m, size_t row, size_t col) {
  return op == Op::none ? m[row][col] : m[col][row];
}

template <class T>
Padded<T> operand(Op op, size_t rows, size_t cols, size_t padding, Rng& rng) {
  return op == Op::none ? Padded<T>(rows, cols, padding, rng) : Padded<T>(cols, rows, padding, rng);
}

// Against the definition, summed in double.
template <class T>
void check_against_naive(Op op_a, Op op_b, size_t m, size_t n, size_t k, T alpha, T beta, size_t padding) {
  Rng rng(1, Stream::test, m * 10000 + n * 100 + k, padding);
  const auto a = operand<T>(op_a, m, k, padding, rng), b = operand<T>(op_b, k, n, padding, rng);
  Padded<T> c(m, n, padding, rng);
  const Matrix<T> before = c.wide;
  if (beta == T(0))
    for (size_t i = 0; i < m; ++i)
      for (T& v : c.view.row(i)) v = std::numeric_limits<T>::quiet_NaN();
  gemm(op_a, op_b, alpha, MatrixView<const T>(a.view), MatrixView<const T>(b.view), beta, c.view);
  for (size_t i = 0; i < m; ++i) {
    for (size_t j = 0; j < n; ++j) {
      double expected = beta == T(0) ? 0.0 : double(beta) * before[i][j], size = std::abs(expected);
      for (size_t p = 0; p < k; ++p) {
        const double product = double(alpha) * element<T>(op_a, a.view, i, p) * element<T>(op_b, b.view, p, j);
        expected += product;
        size += std::abs(product);
      }
      const double tolerance = (size + 1e-30) * std::numeric_limits<T>::epsilon() * static_cast<double>(k + 4) / 2;
      ASSERT_NEAR(c.view[i][j], expected, tolerance) << m << 'x' << n << 'x' << k << " at " << i << ',' << j;
    }
    for (size_t j = n; j < n + padding; ++j) ASSERT_TRUE(std::isnan(c.wide[i][j])) << "wrote past the row's end";
  }
}

template <class T>
class Gemm : public testing::Test {};
using Types = testing::Types<float, double>;
TYPED_TEST_SUITE(Gemm, Types);

TYPED_TEST(Gemm, EqualsTheDefinitionForAllTransposesShapesAndStrides) {
  for (const Op op_a : {Op::none, Op::transpose})
    for (const Op op_b : {Op::none, Op::transpose})
      for (const auto& [m, n, k] : {std::array<size_t, 3>{1, 1, 1},
                                    {1, 7, 3},
                                    {5, 1, 9},
                                    {3, 5, 1},
                                    {17, 33, 65},
                                    {64, 48, 16},
                                    {50, 129, 31},
                                    {2, 300, 7}})
        for (const size_t padding : {0, 3})
          for (const auto& [alpha, beta] :
               {std::pair<TypeParam, TypeParam>{1, 0}, {1, 1}, {TypeParam(0.5), TypeParam(-2)}, {-1, 0}})
            check_against_naive<TypeParam>(op_a, op_b, m, n, k, alpha, beta, padding);
}

TYPED_TEST(Gemm, ALiteralProduct) {
  std::vector<TypeParam> a = {1, 2, 3, 4}, b = {5, 6, 7, 8}, c(4);
  const MatrixView<const TypeParam> a_view(a.data(), 2, 2), b_view(b.data(), 2, 2);
  const MatrixView<TypeParam> c_view(c.data(), 2, 2);
  gemm(Op::none, Op::none, TypeParam(1), a_view, b_view, TypeParam(0), c_view);
  EXPECT_EQ(c, (std::vector<TypeParam>{19, 22, 43, 50}));
  gemm(Op::transpose, Op::none, TypeParam(1), a_view, b_view, TypeParam(1), c_view);
  EXPECT_EQ(c, (std::vector<TypeParam>{19 + 26, 22 + 30, 43 + 38, 50 + 44}));
  gemm(Op::none, Op::transpose, TypeParam(2), a_view, b_view, TypeParam(0), c_view);
  EXPECT_EQ(c, (std::vector<TypeParam>{34, 46, 78, 106}));
}

TYPED_TEST(Gemm, SizesOfZeroAreWhatTheSumsSay) {
  const MatrixView<const TypeParam> empty;
  std::vector<TypeParam> c = {1, 2, std::numeric_limits<TypeParam>::quiet_NaN(), 4};
  const MatrixView<TypeParam> c_view(c.data(), 2, 2);
  const MatrixView<const TypeParam> a(nullptr, 2, 0), b(nullptr, 0, 2);
  gemm(Op::none, Op::none, TypeParam(1), a, b, TypeParam(0), c_view);  // k = 0: C is beta C
  EXPECT_EQ(c, (std::vector<TypeParam>{0, 0, 0, 0}));
  c = {1, 2, 3, 4};
  gemm(Op::none, Op::none, TypeParam(1), a, b, TypeParam(2), c_view);
  EXPECT_EQ(c, (std::vector<TypeParam>{2, 4, 6, 8}));
  gemm(Op::none, Op::none, TypeParam(1), empty, empty, TypeParam(0), MatrixView<TypeParam>());
}

TYPED_TEST(Gemm, OnAPoolTheBitsDoNotDependOnTheNumberOfThreads) {
  ThreadPool one(1), two(2), many(7);
  for (const Op op_a : {Op::none, Op::transpose})
    for (const Op op_b : {Op::none, Op::transpose})
      for (const auto& [m, n, k] :
           {std::array<size_t, 3>{3, 4, 5}, {700, 64, 100}, {64, 64, 4000}, {130, 900, 150}, {1, 3000, 40}}) {
        if (std::is_same_v<TypeParam, double> && m * n * k > 5000000) continue;
        Rng rng(2, Stream::test, m, n);
        const auto a = operand<TypeParam>(op_a, m, k, 2, rng), b = operand<TypeParam>(op_b, k, n, 2, rng);
        std::vector<Matrix<TypeParam>> results;
        for (ThreadPool* pool : {&one, &two, &many}) {
          Matrix<TypeParam> c(m, n);
          c.fill(1);
          gemm<TypeParam>(*pool, op_a, op_b, TypeParam(0.5), a.view, b.view, TypeParam(1), c);
          results.push_back(std::move(c));
        }
        for (size_t i = 1; i < results.size(); ++i)
          ASSERT_EQ(std::memcmp(results[0].data(), results[i].data(), m * n * sizeof(TypeParam)), 0);
        Matrix<TypeParam> whole(m, n);
        whole.fill(1);
        gemm(op_a, op_b, TypeParam(0.5), MatrixView<const TypeParam>(a.view), MatrixView<const TypeParam>(b.view),
             TypeParam(1), whole.view());
        for (size_t i = 0; i < whole.size(); ++i)
          ASSERT_NEAR(whole.values()[i], results[0].values()[i],
                      std::sqrt(k) * 30 * std::numeric_limits<TypeParam>::epsilon());
      }
}

// oneDNN and this program may have come with different runtimes of OpenMP: what one is told must reach the other.
TEST(GemmOnThisThread, MakesNoThreadsOfItsOwn) {
  const auto threads = [] {
    return std::distance(std::filesystem::directory_iterator("/proc/self/task"), std::filesystem::directory_iterator());
  };
  const auto before = threads();
  Matrix<float> a(900, 700), b(700, 800), c(900, 800);
  a.fill(1);
  b.fill(1);
  gemm(Op::none, Op::none, 1.0f, a, b, 0.0f, c);
  EXPECT_EQ(c[899][799], 700);
  EXPECT_EQ(threads(), before);
}

TEST(GemmDeathTest, ShapesThatDoNotFitAreABug) {
  Matrix<float> a(2, 3), b(2, 3), c(2, 3);
  EXPECT_DEATH(gemm(Op::none, Op::none, 1.0f, a, b, 0.0f, c), "shapes of A, B and C fit");
}

}  // namespace
}  // namespace pagoda::math
