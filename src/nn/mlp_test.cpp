#include "nn/mlp.h"

#include <gtest/gtest.h>

#include "nn/nn_test.h"
#include "nn/normalise.h"

namespace pagoda::nn {
namespace {

double weighed(const math::Matrix<double>& y, const math::Matrix<double>& c) {
  double sum = 0;
  for (size_t n = 0; n < y.size(); ++n) sum += y.data()[n] * c.data()[n];
  return sum;
}

// d f / d x of each x in `values`, against `gradient`.
void expect_gradient(const std::function<double()>& f, std::span<double> values, std::span<const double> gradient,
                     const char* what) {
  ASSERT_EQ(values.size(), gradient.size());
  constexpr double kStep = 1e-6;
  for (size_t n = 0; n < values.size(); ++n) {
    const double x = values[n];
    values[n] = x + kStep;
    const double above = f();
    values[n] = x - kStep;
    const double below = f();
    values[n] = x;
    const double expected = (above - below) / (2 * kStep);
    EXPECT_NEAR(gradient[n], expected, 1e-7 * (1 + std::abs(expected))) << what << " " << n;
  }
}

TEST(Mlp, EveryGradientIsThatOfFiniteDifferences) {
  ThreadPool pool(2);
  for (const auto& widths : std::vector<std::vector<size_t>>{{3, 2}, {4, 6, 3}, {5, 7, 4, 2}})
    for (double share : {0.0, 0.3}) {
      Mlp<double> mlp(widths);
      mlp.initialise(7, 1);
      for (size_t l = 0; l < mlp.layers(); ++l) mlp.biases(l) = random_matrix<double>(1, widths[l + 1], 40 + l);
      auto x = random_matrix<double>(9, widths.front(), 1);
      const auto c = random_matrix<double>(9, widths.back(), 2);
      const Mlp<double>::Dropout dropout{share, 11, 3, 1};  // the same mask each time
      Mlp<double>::Activations activations;
      math::Matrix<double> y(9, widths.back());
      const auto f = [&] {
        mlp.forward(pool, x, dropout, activations, y);
        return weighed(y, c);
      };
      f();
      auto d = c;
      math::Matrix<double> dx(9, widths.front());
      dx.fill(99);
      Mlp<double>::Gradients gradients;
      mlp.backward(pool, activations, d, gradients, dx);
      double squares = 0;
      for (size_t l = 0; l < mlp.layers(); ++l) {
        expect_gradient(f, mlp.weights(l).values(), gradients.weights[l].values(), "weight");
        expect_gradient(f, mlp.biases(l).values(), gradients.biases[l].values(), "bias");
        for (const auto* m : {&gradients.weights[l], &gradients.biases[l]})
          for (double v : *m) squares += v * v;
      }
      expect_gradient(f, x.values(), std::as_const(dx).values(), "input");
      EXPECT_NEAR(gradients.squared_norm(), squares, 1e-12 * squares);
    }
}

TEST(Mlp, WithoutLayersIsTheIdentityBothWays) {
  ThreadPool pool(1);
  Mlp<double> mlp({4});
  const auto x = random_matrix<double>(3, 4, 1);
  auto d = random_matrix<double>(3, 4, 2);
  math::Matrix<double> y(3, 4), dx(3, 4);
  Mlp<double>::Activations activations;
  Mlp<double>::Gradients gradients;
  mlp.forward(pool, x, {}, activations, y);
  mlp.backward(pool, activations, d, gradients, dx);
  EXPECT_TRUE(std::equal(x.begin(), x.end(), y.begin()));
  EXPECT_TRUE(std::equal(d.begin(), d.end(), dx.begin()));
  EXPECT_EQ(gradients.squared_norm(), 0.0);
}

TEST(Mlp, DropoutKeepsItsShareScaledUpAndFollowsItsStep) {
  ThreadPool pool(1);
  Mlp<double> mlp({1, 20000, 1});
  mlp.weights(0).fill(1);
  mlp.weights(1).fill(1);
  math::Matrix<double> x(1, 1), y(1, 1);
  x.fill(2);
  Mlp<double>::Activations a, b, other;
  mlp.forward(pool, x, {.25, 1, 5, 1}, a, y);
  mlp.forward(pool, x, {.25, 1, 5, 1}, b, y);
  mlp.forward(pool, x, {.25, 1, 6, 1}, other, y);
  size_t open = 0;
  for (double m : a.masks[0]) {
    EXPECT_TRUE(m == 0 || m == 1 / .75);
    open += m > 0;
  }
  EXPECT_NEAR(static_cast<double>(open) / 20000, .75, 4 * std::sqrt(.25 * .75 / 20000));
  EXPECT_TRUE(std::equal(a.masks[0].begin(), a.masks[0].end(), b.masks[0].begin()));
  EXPECT_FALSE(std::equal(a.masks[0].begin(), a.masks[0].end(), other.masks[0].begin()));
}

TEST(Mlp, BitsAreThoseOfOneThread) {
  const std::vector<size_t> widths{32, 48, 16};
  Mlp<float> mlp(widths);
  mlp.initialise(7, 1);
  const auto x = random_matrix<float>(300, 32, 1), c = random_matrix<float>(300, 16, 2);
  math::Matrix<float> y[2], dx[2];
  Mlp<float>::Gradients gradients[2];
  for (int t : {0, 1}) {
    ThreadPool pool(t + 1);
    Mlp<float>::Activations activations;
    auto d = c;
    y[t].resize(300, 16);
    dx[t].resize(300, 32);
    mlp.forward(pool, x, {.2, 1, 2, 3}, activations, y[t]);
    mlp.backward(pool, activations, d, gradients[t], dx[t]);
  }
  EXPECT_TRUE(std::equal(y[0].begin(), y[0].end(), y[1].begin()));
  EXPECT_TRUE(std::equal(dx[0].begin(), dx[0].end(), dx[1].begin()));
  for (size_t l = 0; l < 2; ++l)
    EXPECT_TRUE(std::ranges::equal(gradients[0].weights[l].values(), gradients[1].weights[l].values()));
}

TEST(Normalise, RowsHaveUnitLengthAndAShortOneBecomesZero) {
  ThreadPool pool(1);
  math::Matrix<double> x(3, 2);
  x[0][0] = 3;
  x[0][1] = -4;
  x[1][0] = 0;
  x[1][1] = 0;
  x[2][0] = 1e-13;
  x[2][1] = 0;
  std::vector<double> lengths;
  normalise_rows<double>(pool, x, lengths);
  EXPECT_DOUBLE_EQ(x[0][0], .6);
  EXPECT_DOUBLE_EQ(x[0][1], -.8);
  EXPECT_DOUBLE_EQ(lengths[0], 5);
  for (size_t i : {1, 2})
    for (double v : x.row(i)) EXPECT_EQ(v, 0);
  math::Matrix<double> d(3, 2);
  d.fill(1);
  normalise_rows_backward<double>(pool, x, lengths, d);
  for (size_t i : {1, 2})
    for (double v : d.row(i)) EXPECT_EQ(v, 0);
}

TEST(Normalise, BackwardIsThatOfFiniteDifferences) {
  ThreadPool pool(1);
  auto x = random_matrix<double>(6, 5, 1);
  const auto c = random_matrix<double>(6, 5, 2);
  std::vector<double> lengths;
  math::Matrix<double> y;
  const auto f = [&] {
    y = x;
    normalise_rows<double>(pool, y, lengths);
    return weighed(y, c);
  };
  f();
  auto d = c;
  normalise_rows_backward<double>(pool, y, lengths, d);
  expect_gradient(f, x.values(), std::as_const(d).values(), "input");
}

}  // namespace
}  // namespace pagoda::nn
