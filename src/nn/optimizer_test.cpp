#include "nn/optimizer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "core/rng.h"
#include "math/bf16.h"

namespace pagoda::nn {
namespace {

// The values of one parameter [1, 2] that starts at (1, -2), after each of two steps with gradients (3, -4), (1, 2).
std::vector<std::vector<double>> two_steps(const OptimizerOptions& options, bool table, double clip = 1) {
  ThreadPool pool(1);
  OptimizerState<double> state(pool, options, 1, 2, table);
  math::Matrix<double> value(1, 2), gradient(1, 2);
  value[0][0] = 1;
  value[0][1] = -2;
  const double gradients[2][2] = {{3, -4}, {1, 2}};
  std::vector<std::vector<double>> after;
  for (uint64_t t = 0; t < 2; ++t) {
    std::copy_n(gradients[t], 2, gradient[0]);
    const StepRate step{.rate = options.learning_rate, .gradient_scale = clip, .step = t + 1};
    if (table)
      state.update_rows(pool, step, std::vector<uint32_t>{0}, gradient, value);
    else
      state.update(pool, step, gradient, value);
    after.push_back({value[0][0], value[0][1]});
  }
  return after;
}

OptimizerOptions options(OptimizerKind kind) {
  OptimizerOptions o;
  o.kind = kind;
  o.learning_rate = .5;
  o.initial_accumulator = 1;
  return o;
}

void expect_near(const std::vector<double>& a, const std::vector<double>& b) {
  for (size_t k = 0; k < b.size(); ++k) EXPECT_NEAR(a[k], b[k], 1e-12);
}

TEST(Optimizer, SgdStepsAlongTheGradient) {
  const auto v = two_steps(options(OptimizerKind::sgd), false);
  expect_near(v[0], {1 - 1.5, -2 + 2});
  expect_near(v[1], {-.5 - .5, 0 - 1});
}

TEST(Optimizer, AdagradDividesByTheRootOfItsSums) {
  for (bool table : {false, true}) {
    const auto v = two_steps(options(OptimizerKind::adagrad), table);
    const double a = 1 - 1.5 / std::sqrt(10), b = -2 + 2 / std::sqrt(17);
    expect_near(v[0], {a, b});
    expect_near(v[1], {a - .5 / std::sqrt(11), b - 1 / std::sqrt(21)});
  }
}

TEST(Optimizer, RowAdagradDividesByTheMeanSquareOfTheRow) {
  const auto v = two_steps(options(OptimizerKind::row_adagrad), true);
  const double h1 = 1 + 12.5, h2 = h1 + 2.5, a = 1 - 1.5 / std::sqrt(h1), b = -2 + 2 / std::sqrt(h1);
  expect_near(v[0], {a, b});
  expect_near(v[1], {a - .5 / std::sqrt(h2), b - 1 / std::sqrt(h2)});
  // Dense weights: an accumulator an element.
  expect_near(two_steps(options(OptimizerKind::row_adagrad), false)[1],
              two_steps(options(OptimizerKind::adagrad), false)[1]);
}

TEST(Optimizer, AdamMovesByItsCorrectedMoments) {
  auto o = options(OptimizerKind::adam);
  o.beta1 = .5;
  o.beta2 = .75;
  o.epsilon = .25;
  const auto v = two_steps(o, false);
  const double a = 1 - .5 * 3 / 3.25, b = -2 + .5 * 4 / 4.25;  // corrected: m = g, s = g^2
  expect_near(v[0], {a, b});
  // m = .5 (.5 * 3) + .5 * 1 = 1.25, / (1 - .25); s = .75 (.25 * 9) + .25 = 1.9375, / (1 - .5625)
  // m = .5 (.5 * -4) + 1 = 0;                      s = .75 (.25 * 16) + 1 = 4
  expect_near(v[1], {a - .5 * (1.25 / .75) / (std::sqrt(1.9375 / .4375) + .25), b});
}

TEST(Optimizer, ClippingScalesTheGradientAndDecayTheValue) {
  auto o = options(OptimizerKind::sgd);
  o.weight_decay = .1;  // keeps 1 - .5 * .1 = .95
  expect_near(two_steps(o, true, .25)[0], {.95 - .5 * .75, -1.9 + .5});
  o = options(OptimizerKind::adagrad);
  expect_near(two_steps(o, true, .5)[0], {1 - .75 / std::sqrt(1 + 2.25), -2 + 1 / std::sqrt(5)});
  o = options(OptimizerKind::row_adagrad);
  expect_near(two_steps(o, true, .5)[0], {1 - .75 / std::sqrt(1 + 3.125), -2 + 1 / std::sqrt(1 + 3.125)});
}

TEST(Optimizer, OnlyTouchedRowsMoveAndTheirMomentsToo) {
  ThreadPool pool(2);
  for (auto kind : {OptimizerKind::adam, OptimizerKind::adagrad, OptimizerKind::row_adagrad, OptimizerKind::sgd}) {
    auto o = options(kind);
    o.weight_decay = .5;
    OptimizerState<double> state(pool, o, 4, 3, true);
    math::Matrix<double> value(4, 3), gradient(2, 3);
    value.fill(1);
    gradient.fill(2);
    const auto first = state.first();
    state.update_rows(pool, {.rate = .1, .step = 1}, std::vector<uint32_t>{1, 3}, gradient, value);
    for (size_t row : {0, 2}) {
      for (double v : value.row(row)) EXPECT_EQ(v, 1);
      if (first.rows() > 0) {
        EXPECT_TRUE(std::ranges::equal(state.first().row(row), first.row(row)));
      }
    }
    for (size_t row : {1, 3})
      for (double v : value.row(row)) EXPECT_LT(v, .96);
  }
}

TEST(Optimizer, StateOfRowAdagradIsOneNumberARow) {
  ThreadPool pool(1);
  EXPECT_EQ(OptimizerState<float>(pool, options(OptimizerKind::row_adagrad), 10, 64, true).first().size(), 10u);
  EXPECT_EQ(OptimizerState<float>(pool, options(OptimizerKind::adagrad), 10, 64, true).first().size(), 640u);
  EXPECT_EQ(OptimizerState<float>(pool, options(OptimizerKind::adam), 10, 64, true).second().size(), 640u);
  EXPECT_EQ(OptimizerState<float>(pool, options(OptimizerKind::sgd), 10, 64, true).first().size(), 0u);
}

TEST(Optimizer, StateOfALargeTableStartsTheSameInEveryRow) {
  ThreadPool pool(2);
  constexpr size_t kRows = 40'000, kCols = 64;  // more than two threads take at once
  OptimizerState<float> sums(pool, options(OptimizerKind::adagrad), kRows, kCols, true);
  EXPECT_EQ(std::ranges::count(sums.first(), 1.0f), kRows * kCols);
}

TEST(Optimizer, AZeroGradientOnAnEmptyAccumulatorMovesNothing) {
  ThreadPool pool(1);
  for (auto kind : {OptimizerKind::adagrad, OptimizerKind::row_adagrad, OptimizerKind::adam}) {
    auto o = options(kind);
    o.initial_accumulator = 0;
    OptimizerState<float> state(pool, o, 1, 2, true);
    math::Matrix<float> value(1, 2), gradient(1, 2);
    value.fill(3);
    state.update(pool, {.rate = .1, .step = 1}, gradient, value);
    EXPECT_EQ(value[0][0], 3.f);
  }
}

TEST(Optimizer, FloatFollowsDoubleOverManyStepsAndThreads) {
  for (auto kind : {OptimizerKind::adagrad, OptimizerKind::row_adagrad, OptimizerKind::adam, OptimizerKind::sgd}) {
    auto o = options(kind);
    o.learning_rate = .01;
    o.weight_decay = .01;
    math::Matrix<float> values[2];
    math::Matrix<double> exact(300, 33);
    for (int threads : {1, 2}) {
      ThreadPool pool(threads);
      auto& value = values[threads - 1];
      value.resize(300, 33);
      value.fill(.5f);
      exact.fill(.5);
      OptimizerState<float> state(pool, o, 300, 33, true);
      OptimizerState<double> exact_state(pool, o, 300, 33, true);
      math::Matrix<float> gradient(300, 33);
      math::Matrix<double> exact_gradient(300, 33);
      for (uint64_t t = 1; t <= 5; ++t) {
        for (size_t n = 0; n < gradient.size(); ++n)
          exact_gradient.data()[n] = gradient.data()[n] = static_cast<float>(std::sin(static_cast<double>(n * t)));
        state.update(pool, {.rate = .01, .step = t}, gradient, value);
        exact_state.update(pool, {.rate = .01, .step = t}, exact_gradient, exact);
      }
      for (size_t n = 0; n < value.size(); ++n) ASSERT_NEAR(value.data()[n], exact.data()[n], 2e-5) << n;
    }
    EXPECT_TRUE(std::equal(values[0].begin(), values[0].end(), values[1].begin()));
  }
}

// 1 lies between bf16 numbers 2^-8 below and 2^-7 above it: a step of a tenth of that moves one value in ten.
TEST(Optimizer, StepsBelowAUnitOfBf16AreRightOnAverage) {
  ThreadPool pool(2), one(1);
  constexpr size_t kRows = 4000, kCols = 20;
  const double unit = 0x1p-8;
  std::vector<uint32_t> rows(kRows);
  for (uint32_t r = 0; r < kRows; ++r) rows[r] = r;
  math::Matrix<uint16_t> value(kRows, kCols), on_one_thread(kRows, kCols);
  value.fill(math::to_bf16(1));
  on_one_thread.fill(math::to_bf16(1));
  math::Matrix<float> gradient(kRows, kCols);
  gradient.fill(static_cast<float>(unit / 10));
  OptimizerState<float> state(pool, options(OptimizerKind::sgd), kRows, kCols, true);
  for (uint64_t t = 1; t <= 2; ++t) {
    state.update_rows_of_bf16(pool, {.rate = 1, .step = t}, rows, gradient, value);
    state.update_rows_of_bf16(one, {.rate = 1, .step = t}, rows, gradient, on_one_thread);
    double sum = 0;
    for (const uint16_t x : value) sum += math::from_bf16(x);
    const double p = .1 * static_cast<double>(t), n = kRows * kCols;
    EXPECT_NEAR(sum / n, 1 - p * unit, 5 * unit * std::sqrt(p / n)) << t;
  }
  EXPECT_TRUE(std::equal(value.begin(), value.end(), on_one_thread.begin()));
}

TEST(Optimizer, ValuesInBf16FollowThoseInFloat) {
  ThreadPool pool(1);
  for (const auto kind :
       {OptimizerKind::sgd, OptimizerKind::adagrad, OptimizerKind::row_adagrad, OptimizerKind::adam}) {
    auto o = options(kind);
    o.weight_decay = .1;
    OptimizerState<float> state(pool, o, 5, 33, true), exact_state(pool, o, 5, 33, true);
    math::Matrix<uint16_t> value(5, 33);
    math::Matrix<float> exact(5, 33), gradient(2, 33);
    Rng rng(1, Stream::test);
    for (size_t n = 0; n < exact.size(); ++n) {
      value.data()[n] = math::to_bf16(static_cast<float>(rng.normal()));
      exact.data()[n] = math::from_bf16(value.data()[n]);
    }
    for (float& g : gradient) g = static_cast<float>(rng.normal());
    const std::vector<uint32_t> rows{1, 4};
    const auto before = value;
    state.update_rows_of_bf16(pool, {.rate = .1}, rows, gradient, value);
    exact_state.update_rows(pool, {.rate = .1}, rows, gradient, exact);
    for (size_t r = 0; r < 5; ++r)
      for (size_t k = 0; k < 33; ++k) {
        if (r != 1 && r != 4) {
          ASSERT_EQ(value[r][k], before[r][k]);
        }
        ASSERT_NEAR(math::from_bf16(value[r][k]), exact[r][k], 0x1p-7 * std::abs(exact[r][k]) + 1e-30);
      }
  }
}

TEST(RateSchedule, RisesThroughWarmUpAndFallsToItsFinalShare) {
  OptimizerOptions o;
  EXPECT_EQ(rate_schedule(o, 0, 100), 1.0);
  EXPECT_EQ(rate_schedule(o, 99, 100), 1.0);
  o.warmup_steps = 4;
  o.final_rate = .2;
  for (auto [step, rate] : {std::pair(0, .25), {1, .5}, {3, 1.0}, {4, 1.0}, {6, .8}, {8, .6}, {12, .2}, {50, .2}})
    EXPECT_NEAR(rate_schedule(o, static_cast<uint64_t>(step), 13), rate, 1e-12) << step;
  EXPECT_EQ(rate_schedule(o, 4, 5), 1.0);  // no step is left for a decay
}

TEST(OptimizerOptions, ValuesThatCannotBeAreRefused) {
  const auto refused = [](const std::function<void(OptimizerOptions&)>& change, std::string_view part) {
    OptimizerOptions o;
    validate(o);
    change(o);
    try {
      validate(o);
      return false;
    } catch (const Error& e) {
      return e.kind() == ErrorKind::usage && std::string_view(e.what()).find(part) != std::string_view::npos;
    }
  };
  EXPECT_TRUE(refused([](auto& o) { o.learning_rate = 0; }, "train.learning_rate = 0 must be above 0"));
  EXPECT_TRUE(refused([](auto& o) { o.learning_rate = NAN; }, "train.learning_rate = nan"));
  EXPECT_TRUE(refused([](auto& o) { o.weight_decay = -1; }, "train.weight_decay = -1 must not be negative"));
  EXPECT_TRUE(refused([](auto& o) { o.clip_norm = INFINITY; }, "train.clip_norm"));
  EXPECT_TRUE(refused([](auto& o) { o.beta2 = 1; }, "in [0, 1), not 1"));
  EXPECT_TRUE(refused([](auto& o) { o.warmup_steps = -3; }, "train.warmup_steps = -3"));
}

}  // namespace
}  // namespace pagoda::nn
