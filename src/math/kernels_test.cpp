#include "math/kernels.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "core/rng.h"

namespace pagoda::math {
namespace {

constexpr float kInf = std::numeric_limits<float>::infinity();
// Around every width of the loops: one vector is 16, the widest step 64.
const std::vector<size_t> kSizes = {0, 1, 2, 15, 16, 17, 31, 32, 33, 63, 64, 65, 100, 127, 128, 129, 1000};

// One element past the start of the memory, so that nothing is aligned.
template <class T>
std::vector<T> noise(size_t n, uint64_t lane) {
  Rng rng(3, Stream::test, n, lane);
  std::vector<T> v(n + 1);
  for (T& x : v) x = static_cast<T>(rng.normal());
  return v;
}

template <class T>
class Kernels : public testing::Test {};
using Types = testing::Types<float, double>;
TYPED_TEST_SUITE(Kernels, Types);

TYPED_TEST(Kernels, DotEqualsTheSumInDouble) {
  for (const size_t n : kSizes) {
    const auto a = noise<TypeParam>(n, 0), b = noise<TypeParam>(n, 1);
    double expected = 0, size = 0;
    for (size_t i = 1; i <= n; ++i) {
      expected += double(a[i]) * b[i];
      size += std::abs(double(a[i]) * b[i]);
    }
    EXPECT_NEAR(dot(a.data() + 1, b.data() + 1, n), expected, size * 8 * std::numeric_limits<TypeParam>::epsilon())
        << n;
  }
}

TEST(Sum, IsTakenInDouble) {
  for (const size_t n : kSizes) {
    const auto x = noise<float>(n, 0);
    double expected = 0;
    for (size_t i = 1; i <= n; ++i) expected += double(x[i]);
    EXPECT_NEAR(sum(x.data() + 1, n), expected, 1e-12);
  }
}

TYPED_TEST(Kernels, AxpyAndScaleTouchEachElementOnceAndNothingBeyond) {
  for (const size_t n : kSizes) {
    const auto x = noise<TypeParam>(n, 0);
    auto y = noise<TypeParam>(n + 1, 1);
    const auto before = y;
    axpy(TypeParam(0.5), x.data() + 1, y.data() + 1, n);
    for (size_t i = 1; i <= n; ++i)
      EXPECT_NEAR(y[i], before[i] + TypeParam(0.5) * x[i], 4 * std::numeric_limits<TypeParam>::epsilon());
    EXPECT_EQ(y[0], before[0]);
    EXPECT_EQ(y[n + 1], before[n + 1]);
    y = before;
    scale(TypeParam(-2), y.data() + 1, n);
    for (size_t i = 1; i <= n; ++i) EXPECT_EQ(y[i], -2 * before[i]);
    EXPECT_EQ(y[0], before[0]);
    EXPECT_EQ(y[n + 1], before[n + 1]);
  }
}

TEST(KernelsTest, FloatsAreAddedOntoDoubles) {
  for (const size_t n : kSizes) {
    const auto x = noise<float>(n, 0);
    auto y = noise<double>(n + 1, 1);
    const auto before = y;
    axpy(0.3, x.data() + 1, y.data() + 1, n);
    for (size_t i = 1; i <= n; ++i) EXPECT_NEAR(y[i], before[i] + 0.3 * double{x[i]}, 1e-15);
    EXPECT_EQ(y[0], before[0]);
    EXPECT_EQ(y[n + 1], before[n + 1]);
  }
}

TYPED_TEST(Kernels, ExpShiftedEqualsTheDefinitionAndItsSum) {
  for (const size_t n : kSizes) {
    auto x = noise<TypeParam>(n + 1, 0);
    const auto before = x, bias = noise<TypeParam>(n, 1);
    const double sum = exp_shifted(x.data() + 1, bias.data() + 1, TypeParam(1.5), n);
    double expected = 0, returned = 0;
    for (size_t i = 1; i <= n; ++i) {
      const double e = std::exp(double(TypeParam(TypeParam(before[i] + bias[i]) - TypeParam(1.5))));
      EXPECT_NEAR(x[i], e, e * 4 * std::numeric_limits<TypeParam>::epsilon());
      expected += e;
      returned += x[i];
    }
    EXPECT_NEAR(sum, returned, 1e-13 * (1 + returned));
    EXPECT_NEAR(sum, expected, expected * 4 * std::numeric_limits<TypeParam>::epsilon());
    EXPECT_EQ(x[0], before[0]);
    EXPECT_EQ(x[n + 1], before[n + 1]);
  }
}

TYPED_TEST(Kernels, MaxBiasedIsTheLargestSum) {
  EXPECT_EQ(max_biased(static_cast<TypeParam*>(nullptr), nullptr, 0), -std::numeric_limits<TypeParam>::infinity());
  for (const size_t n : kSizes) {
    for (size_t at = 1; at <= n; at += 1 + n / 40) {  // the largest one at many places
      auto x = noise<TypeParam>(n, 0);
      const auto bias = noise<TypeParam>(n, 1);
      x[at] = 20;
      EXPECT_EQ(max_biased(x.data() + 1, bias.data() + 1, n), x[at] + bias[at]) << n << ' ' << at;
    }
  }
  const std::vector<TypeParam> none(40, -std::numeric_limits<TypeParam>::infinity()), zero(40);
  EXPECT_EQ(max_biased(none.data(), zero.data(), 40), none[0]);
}

TYPED_TEST(Kernels, SigmoidWeightedEqualsTheDefinitionAndTheSumOfSoftplus) {
  constexpr double kError = std::is_same_v<TypeParam, float> ? 0x1p-20 : 0x1p-50;
  for (const size_t n : kSizes) {
    auto x = noise<TypeParam>(n + 1, 0), weight = noise<TypeParam>(n, 2);
    for (auto& v : x) v *= 9;  // from where it is nearly 0 to where it is nearly 1
    for (auto& w : weight) w = std::abs(w);
    const auto before = x, bias = noise<TypeParam>(n, 1);
    const double sum = sigmoid_weighted(x.data() + 1, bias.data() + 1, weight.data() + 1, n);
    double expected = 0;
    for (size_t i = 1; i <= n; ++i) {
      const double z = TypeParam(before[i] + bias[i]);
      EXPECT_NEAR(x[i], weight[i] / (1 + std::exp(-z)), kError * x[i]);
      expected += weight[i] * std::log1p(std::exp(z));
    }
    EXPECT_NEAR(sum, expected, expected * kError);
    EXPECT_EQ(x[0], before[0]);
    EXPECT_EQ(x[n + 1], before[n + 1]);
  }
  std::vector<TypeParam> far{TypeParam(-3e37), TypeParam(3e37)};
  const std::vector<TypeParam> zero(2), one(2, 1);
  EXPECT_EQ(sigmoid_weighted(far.data(), zero.data(), one.data(), 1), 0);
  EXPECT_EQ(sigmoid_weighted(far.data() + 1, zero.data(), one.data(), 1), double(TypeParam(3e37)));
  EXPECT_EQ(far[0], 0);
  EXPECT_EQ(far[1], 1);
}

TYPED_TEST(Kernels, HingeWeightedAddsWhatIsAboveZero) {
  for (const size_t n : kSizes) {
    const auto x = noise<TypeParam>(n, 0), weight = noise<TypeParam>(n, 2);
    auto y = noise<TypeParam>(n + 1, 1);
    const auto before = y;
    const auto hinge = hinge_weighted(x.data() + 1, TypeParam(0.25), weight.data() + 1, TypeParam(2), y.data() + 1, n);
    double sum = 0, active = 0;
    for (size_t i = 1; i <= n; ++i) {
      const TypeParam a = x[i] + TypeParam(0.25);
      if (a > 0) {
        sum += double(weight[i]) * a;
        active += weight[i];
      }
      EXPECT_NEAR(y[i], before[i] + (a > 0 ? 2 * weight[i] : 0), 8 * std::numeric_limits<TypeParam>::epsilon());
    }
    EXPECT_NEAR(hinge.sum, sum, static_cast<double>(n) * 4 * std::numeric_limits<TypeParam>::epsilon());
    EXPECT_NEAR(hinge.active, active, 1e-12);
    EXPECT_EQ(y[0], before[0]);
    EXPECT_EQ(y[n + 1], before[n + 1]);
  }
  const TypeParam kink = TypeParam(-0.5), one = 1;
  TypeParam y = 3;
  EXPECT_EQ(hinge_weighted(&kink, TypeParam(0.5), &one, TypeParam(1), &y, 1).active, 0);
  EXPECT_EQ(y, 3);
}

// One value through every place of the vector loop and through the loop over the rest.
std::vector<float> exp_of(float value, size_t n = 19) {
  std::vector<float> x(n, value);
  const std::vector<float> bias(n, 0.0f);
  exp_shifted(x.data(), bias.data(), 0.0f, n);
  return x;
}

TEST(ExpShifted, RelativeErrorIsBelowTwoToTheMinus22) {
  constexpr size_t kPoints = 16 * 100000;
  std::vector<float> x(kPoints + 5), arguments;
  for (size_t i = 0; i < x.size(); ++i) x[i] = -87.3f * static_cast<float>(i) / static_cast<float>(kPoints);
  for (size_t i = 0; i < 100000; ++i) x[i] = 88.7f - 0.000887f * static_cast<float>(i);
  arguments = x;
  const std::vector<float> bias(x.size(), 0.0f);
  exp_shifted(x.data(), bias.data(), 0.0f, x.size());
  double worst = 0;
  for (size_t i = 0; i < x.size(); ++i) {
    const double e = std::exp(double(arguments[i]));
    worst = std::max(worst, std::abs(x[i] - e) / e);
  }
  EXPECT_LT(worst, 0x1p-22);
  EXPECT_GT(worst, 0);
}

TEST(ExpShifted, InfinitiesExtremesAndNanAreWhatExpSays) {
  for (const float y : exp_of(-kInf)) EXPECT_EQ(y, 0.0f);
  for (const float y : exp_of(-1000.0f)) EXPECT_EQ(y, 0.0f);
  for (const float y : exp_of(-88.0f)) EXPECT_EQ(y, 0.0f);  // below the least normal float
  for (const float y : exp_of(std::numeric_limits<float>::lowest())) EXPECT_EQ(y, 0.0f);
  for (const float y : exp_of(kInf)) EXPECT_EQ(y, kInf);
  for (const float y : exp_of(89.0f)) EXPECT_EQ(y, kInf);
  for (const float y : exp_of(0.0f)) EXPECT_EQ(y, 1.0f);
  for (const float y : exp_of(-0.0f)) EXPECT_EQ(y, 1.0f);
  for (const float y : exp_of(88.72f)) EXPECT_NEAR(y / std::exp(double(88.72f)), 1.0, 0x1p-22);
  for (const float y : exp_of(-87.336f)) EXPECT_NEAR(y / std::exp(double(-87.336f)), 1.0, 0x1p-22);
  for (const float y : exp_of(std::numeric_limits<float>::quiet_NaN())) EXPECT_TRUE(std::isnan(y));
}

TEST(ExpShifted, AMaskedColumnAddsNothing) {
  std::vector<float> x(40, 2.0f), bias(40, 0.0f);
  bias[3] = bias[39] = -kInf;
  EXPECT_EQ(exp_shifted(x.data(), bias.data(), 2.0f, 40), 38.0);
  EXPECT_EQ(x[3], 0.0f);
  EXPECT_EQ(x[39], 0.0f);
}

TEST(SelectAbove, GivesThePositionsInOrder) {
  for (const size_t n : kSizes) {
    const auto x = noise<float>(n, 5);
    for (const float threshold : {-kInf, -5.0f, 0.0f, 1.0f, 2.5f, 5.0f, kInf}) {
      std::vector<unsigned> expected, at(n, 12345);
      for (size_t i = 0; i < n; ++i)
        if (x[i + 1] > threshold) expected.push_back(static_cast<unsigned>(i));
      at.resize(select_above(x.data() + 1, n, threshold, at.data()));
      EXPECT_EQ(at, expected) << n << ' ' << threshold;
    }
  }
}

TEST(SelectAbove, EqualIsNotAboveAndNanNeverIs) {
  std::vector<float> x(130, 1.0f);
  x[70] = 1.0000001f;
  x[7] = std::numeric_limits<float>::quiet_NaN();
  std::vector<unsigned> at(x.size());
  ASSERT_EQ(select_above(x.data(), x.size(), 1.0f, at.data()), 1u);
  EXPECT_EQ(at[0], 70u);
}

}  // namespace
}  // namespace pagoda::math
