#include "math/kernels.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>

#include "math/simd_dispatch.h"

// The loops over lanes are what the compiler turns into vectors, for each instruction set of the width it has
// (simd_dispatch.h). The order of the additions is written down as separate sums, so that it is the same in each set.

namespace pagoda::math {

namespace {

constexpr size_t kLanes = 64;

// All bits where it holds.
PAGODA_INLINE uint32_t mask(bool holds) { return -static_cast<uint32_t>(holds); }

// exp(x) = 2^n exp(r), n the integer nearest to x / ln 2 and |r| <= ln 2 / 2, so that
//   exp(r) = 1 + r + r^2 q(r), q the minimax polynomial of degree 4: relative error 2^-28 before rounding.
// ln 2 is taken off in two parts, the first of them short enough that n times it is exact. 2^n is an addition to the
// exponent's bits. Below -87.33 (the least normal float) the result is 0, above 88.72 infinity; NaN stays NaN.
PAGODA_INLINE float exp_one(float x) {
  constexpr float kLog2E = 1.44269504f, kLn2High = 0.693359375f, kLn2Low = -2.12194440e-4f;
  constexpr float kRound = 12582912.0f;  // 1.5 x 2^23: adding it leaves the integer in the low bits
  constexpr float kLeast = -87.33654f, kMost = 88.72283f;
  constexpr uint32_t kInfinity = 0x7f800000, kNan = 0x7fc00000;
  const float rounded = x * kLog2E + kRound, n = rounded - kRound;
  const float r = (x - n * kLn2High) - n * kLn2Low;
  float q = 0.00138144671f;
  q = q * r + 0.00836878041f;
  q = q * r + 0.0416683942f;
  q = q * r + 0.166665201f;
  q = q * r + 0.499999934f;
  const float p = (q * (r * r) + r) + 1.0f;
  const uint32_t bits = std::bit_cast<uint32_t>(p) + (std::bit_cast<uint32_t>(rounded) << 23);
  // Masks and no branches: a loop with a branch would stay scalar.
  const uint32_t in_range = mask(x >= kLeast) & mask(x <= kMost);
  return std::bit_cast<float>((bits & in_range) | (kInfinity & mask(x > kMost)) | (kNan & mask(x != x)));
}

// log(1 + x) for x in [0, 1]: x q(x), q the minimax polynomial of degree 7: relative error 2^-22 before rounding.
PAGODA_INLINE float log1p_one(float x) {
  float q = -0.00853920449f;
  q = q * x + 0.0440896153f;
  q = q * x - 0.107681692f;
  q = q * x + 0.1774524f;
  q = q * x - 0.244954616f;
  q = q * x + 0.332754791f;
  q = q * x - 0.499974042f;
  q = q * x + 0.999999821f;
  return q * x;
}

// max(z, 0) + log(1 + e^-|z|), and w sigmoid(z) into `z`.
PAGODA_INLINE float softplus_one(float& z, float w) {
  const float small = exp_one(z < 0 ? z : -z), most = z > 0 ? z : 0.0f;
  const float sigmoid = (z < 0 ? small : 1.0f) / (1.0f + small);
  z = w * sigmoid;
  return w * (most + log1p_one(small));
}

// Sums of neighbouring halves, down to one.
template <class T, size_t N>
PAGODA_INLINE T sum_of(T (&lanes)[N]) {
  for (size_t half = N / 2; half > 0; half /= 2)
    for (size_t j = 0; j < half; ++j) lanes[j] += lanes[j + half];
  return lanes[0];
}

PAGODA_INLINE float dot_f32_loop(const float* a, const float* b, size_t n) {
  constexpr size_t kSums = 16;  // few, as vectors are short (64, 128) and the sums have to be added up at the end
  float sums[kSums] = {}, rest = 0;
  size_t i = 0;
  for (; i + kSums <= n; i += kSums)
    for (size_t l = 0; l < kSums; ++l) sums[l] += a[i + l] * b[i + l];
  for (; i < n; ++i) rest += a[i] * b[i];
  return sum_of(sums) + rest;
}

PAGODA_INLINE double dot_f64_loop(const double* a, const double* b, size_t n) {
  double sum = 0;
  for (size_t i = 0; i < n; ++i) sum += a[i] * b[i];
  return sum;
}

PAGODA_INLINE double sum_loop(const float* x, size_t n) {
  double sums[kLanes] = {}, rest = 0;
  size_t i = 0;
  for (; i + kLanes <= n; i += kLanes)
    for (size_t l = 0; l < kLanes; ++l) sums[l] += static_cast<double>(x[i + l]);
  for (; i < n; ++i) rest += x[i];
  return sum_of(sums) + rest;
}

PAGODA_INLINE void axpy_f32_loop(float s, const float* x, float* y, size_t n) {
  for (size_t i = 0; i < n; ++i) y[i] += s * x[i];
}

PAGODA_INLINE void axpy_f64_loop(double s, const double* x, double* y, size_t n) {
  for (size_t i = 0; i < n; ++i) y[i] += s * x[i];
}

PAGODA_INLINE void axpy_mixed_loop(double s, const float* x, double* y, size_t n) {
  for (size_t i = 0; i < n; ++i) y[i] += s * static_cast<double>(x[i]);
}

PAGODA_INLINE double exp_shifted_loop(float* x, const float* bias, float shift, size_t n) {
  double sums[kLanes] = {}, rest = 0;
  size_t i = 0;
  for (; i + kLanes <= n; i += kLanes) {
    float values[kLanes];
    for (size_t l = 0; l < kLanes; ++l) values[l] = exp_one((x[i + l] + bias[i + l]) - shift);
    for (size_t l = 0; l < kLanes; ++l) x[i + l] = values[l];
    for (size_t l = 0; l < kLanes; ++l) sums[l] += static_cast<double>(values[l]);
  }
  for (; i < n; ++i) rest += x[i] = exp_one((x[i] + bias[i]) - shift);
  return sum_of(sums) + rest;
}

PAGODA_INLINE double sigmoid_weighted_loop(float* x, const float* bias, const float* weight, size_t n) {
  double sums[kLanes] = {}, rest = 0;
  size_t i = 0;
  for (; i + kLanes <= n; i += kLanes) {
    float z[kLanes], values[kLanes];
    for (size_t l = 0; l < kLanes; ++l) z[l] = x[i + l] + bias[i + l];
    for (size_t l = 0; l < kLanes; ++l) values[l] = softplus_one(z[l], weight[i + l]);
    for (size_t l = 0; l < kLanes; ++l) x[i + l] = z[l];
    for (size_t l = 0; l < kLanes; ++l) sums[l] += static_cast<double>(values[l]);
  }
  for (; i < n; ++i) {
    float z = x[i] + bias[i];
    rest += softplus_one(z, weight[i]);
    x[i] = z;
  }
  return sum_of(sums) + rest;
}

PAGODA_INLINE Hinge hinge_weighted_loop(const float* x, float offset, const float* weight, float pull, float* y,
                                        size_t n) {
  double sums[kLanes] = {}, active[kLanes] = {}, rest = 0, rest_active = 0;
  size_t i = 0;
  for (; i + kLanes <= n; i += kLanes) {
    float a[kLanes], w[kLanes];
    for (size_t l = 0; l < kLanes; ++l) a[l] = x[i + l] + offset;
    for (size_t l = 0; l < kLanes; ++l) w[l] = a[l] > 0 ? weight[i + l] : 0.0f;
    for (size_t l = 0; l < kLanes; ++l) a[l] = a[l] > 0 ? a[l] : 0.0f;
    for (size_t l = 0; l < kLanes; ++l) y[i + l] += pull * w[l];
    for (size_t l = 0; l < kLanes; ++l) sums[l] += static_cast<double>(w[l] * a[l]);
    for (size_t l = 0; l < kLanes; ++l) active[l] += static_cast<double>(w[l]);
  }
  for (; i < n; ++i) {
    const float a = x[i] + offset;
    if (!(a > 0)) continue;
    y[i] += pull * weight[i];
    rest += weight[i] * a;
    rest_active += weight[i];
  }
  return {sum_of(sums) + rest, sum_of(active) + rest_active};
}

PAGODA_INLINE float max_biased_loop(const float* x, const float* bias, size_t n) {
  float most[kLanes];
  std::fill_n(most, kLanes, -std::numeric_limits<float>::infinity());
  size_t i = 0;
  for (; i + kLanes <= n; i += kLanes) {
    for (size_t l = 0; l < kLanes; ++l) {
      const float v = x[i + l] + bias[i + l];
      most[l] = v > most[l] ? v : most[l];
    }
  }
  float result = -std::numeric_limits<float>::infinity();
  for (const float m : most) result = m > result ? m : result;
  for (; i < n; ++i) result = x[i] + bias[i] > result ? x[i] + bias[i] : result;
  return result;
}

PAGODA_INLINE void scale_f32_loop(float s, float* x, size_t n) {
  for (size_t i = 0; i < n; ++i) x[i] *= s;
}

PAGODA_INLINE void scale_f64_loop(double s, double* x, size_t n) {
  for (size_t i = 0; i < n; ++i) x[i] *= s;
}

// In a scan for the best few almost every stretch holds none: whether it holds one is all that is asked of it.
PAGODA_INLINE size_t select_above_loop(const float* x, size_t n, float threshold, unsigned* at) {
  constexpr size_t kStretch = 2 * kLanes;
  size_t count = 0, i = 0;
  for (; i + kStretch <= n; i += kStretch) {
    int any = 0;
    for (size_t l = 0; l < kStretch; ++l) any |= x[i + l] > threshold;
    if (!any) continue;
    for (size_t j = i; j < i + kStretch; ++j) {
      at[count] = static_cast<unsigned>(j);
      count += x[j] > threshold;
    }
  }
  for (; i < n; ++i) {
    at[count] = static_cast<unsigned>(i);
    count += x[i] > threshold;
  }
  return count;
}

}  // namespace

float dot(const float* a, const float* b, size_t n) { return simd_call<dot_f32_loop>(a, b, n); }

double dot(const double* a, const double* b, size_t n) { return simd_call<dot_f64_loop>(a, b, n); }

double sum(const float* x, size_t n) { return simd_call<sum_loop>(x, n); }

void axpy(float s, const float* x, float* y, size_t n) { simd_call<axpy_f32_loop>(s, x, y, n); }

void axpy(double s, const double* x, double* y, size_t n) { simd_call<axpy_f64_loop>(s, x, y, n); }

void axpy(double s, const float* x, double* y, size_t n) { simd_call<axpy_mixed_loop>(s, x, y, n); }

double exp_shifted(float* x, const float* bias, float shift, size_t n) {
  return simd_call<exp_shifted_loop>(x, bias, shift, n);
}

double exp_shifted(double* x, const double* bias, double shift, size_t n) {
  double sum = 0;
  for (size_t i = 0; i < n; ++i) sum += x[i] = std::exp((x[i] + bias[i]) - shift);
  return sum;
}

double sigmoid_weighted(float* x, const float* bias, const float* weight, size_t n) {
  return simd_call<sigmoid_weighted_loop>(x, bias, weight, n);
}

double sigmoid_weighted(double* x, const double* bias, const double* weight, size_t n) {
  double sum = 0;
  for (size_t i = 0; i < n; ++i) {
    const double z = x[i] + bias[i], small = std::exp(-std::abs(z));
    sum += weight[i] * (std::max(z, 0.0) + std::log1p(small));
    x[i] = weight[i] * (z < 0 ? small : 1.0) / (1 + small);
  }
  return sum;
}

Hinge hinge_weighted(const float* x, float offset, const float* weight, float pull, float* y, size_t n) {
  return simd_call<hinge_weighted_loop>(x, offset, weight, pull, y, n);
}

Hinge hinge_weighted(const double* x, double offset, const double* weight, double pull, double* y, size_t n) {
  Hinge hinge{};
  for (size_t i = 0; i < n; ++i) {
    const double a = x[i] + offset;
    if (!(a > 0)) continue;
    y[i] += pull * weight[i];
    hinge.sum += weight[i] * a;
    hinge.active += weight[i];
  }
  return hinge;
}

float max_biased(const float* x, const float* bias, size_t n) { return simd_call<max_biased_loop>(x, bias, n); }

double max_biased(const double* x, const double* bias, size_t n) {
  double most = -std::numeric_limits<double>::infinity();
  for (size_t i = 0; i < n; ++i) most = x[i] + bias[i] > most ? x[i] + bias[i] : most;
  return most;
}

void scale(float s, float* x, size_t n) { simd_call<scale_f32_loop>(s, x, n); }

void scale(double s, double* x, size_t n) { simd_call<scale_f64_loop>(s, x, n); }

size_t select_above(const float* x, size_t n, float threshold, unsigned* at) {
  return simd_call<select_above_loop>(x, n, threshold, at);
}

}  // namespace pagoda::math
