#include "math/kernels.h"

#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>

#include "math/clones.h"

// Each loop runs on 16 floats at a time and on several of those as separate sums: the order of the additions is written
// down here, so it is the same in each of the three clones, and the compiler needs no leave to change it.

namespace pagoda {

namespace {

typedef float Floats __attribute__((vector_size(64)));
typedef int32_t Ints __attribute__((vector_size(64)));
typedef double Doubles __attribute__((vector_size(64)));
typedef float HalfFloats __attribute__((vector_size(32)));
constexpr size_t kLanes = 16;
constexpr float kInfinity = std::numeric_limits<float>::infinity();

// Macros, as a function that takes or returns such a vector has no calling convention on plain x86-64.
#define PAGODA_LOAD(v, p) \
  Floats v;               \
  std::memcpy(&v, p, sizeof v)

// exp(x) = 2^n exp(r), n the integer nearest to x / ln 2 and |r| <= ln 2 / 2, so that
//   exp(r) = 1 + r + r^2 q(r), q the minimax polynomial of degree 4: relative error 2^-28 before rounding.
// ln 2 is taken off in two parts, the first of them short enough that n times it is exact. 2^n is an addition to the
// exponent's bits. Below -87.33 (the least normal float) the result is 0, above 88.72 infinity; NaN stays NaN.
constexpr float kLog2E = 1.44269504f, kLn2High = 0.693359375f, kLn2Low = -2.12194440e-4f;
constexpr float kRound = 12582912.0f;  // 1.5 x 2^23: adding it leaves the integer in the low bits
constexpr float kLeast = -87.33654f, kMost = 88.72283f;
constexpr float kQ0 = 0.499999934f, kQ1 = 0.166665201f, kQ2 = 0.0416683942f, kQ3 = 0.00836878041f, kQ4 = 0.00138144671f;

inline __attribute__((always_inline)) float exp_one(float x) {
  if (!(x >= kLeast)) return x < kLeast ? 0.0f : x;
  if (x > kMost) return kInfinity;
  const float rounded = x * kLog2E + kRound, n = rounded - kRound;
  const float r = (x - n * kLn2High) - n * kLn2Low;
  const float q = (((kQ4 * r + kQ3) * r + kQ2) * r + kQ1) * r + kQ0;
  const float p = (q * (r * r) + r) + 1.0f;
  int32_t bits, shift;
  std::memcpy(&bits, &p, sizeof bits), std::memcpy(&shift, &rounded, sizeof shift);
  bits += static_cast<int32_t>(static_cast<uint32_t>(shift) << 23);
  float result;
  std::memcpy(&result, &bits, sizeof result);
  return result;
}

}  // namespace

PAGODA_CLONES
float dot(const float* a, const float* b, size_t n) {
  Floats s0{}, s1{}, s2{}, s3{};
  size_t i = 0;
  for (; i + 4 * kLanes <= n; i += 4 * kLanes) {
    PAGODA_LOAD(a0, a + i);
    PAGODA_LOAD(a1, a + i + kLanes);
    PAGODA_LOAD(a2, a + i + 2 * kLanes);
    PAGODA_LOAD(a3, a + i + 3 * kLanes);
    PAGODA_LOAD(b0, b + i);
    PAGODA_LOAD(b1, b + i + kLanes);
    PAGODA_LOAD(b2, b + i + 2 * kLanes);
    PAGODA_LOAD(b3, b + i + 3 * kLanes);
    s0 += a0 * b0, s1 += a1 * b1, s2 += a2 * b2, s3 += a3 * b3;
  }
  for (; i + kLanes <= n; i += kLanes) {
    PAGODA_LOAD(a0, a + i);
    PAGODA_LOAD(b0, b + i);
    s0 += a0 * b0;
  }
  s0 = (s0 + s1) + (s2 + s3);
  float rest = 0;
  for (; i < n; ++i) rest += a[i] * b[i];
  float sums[kLanes];
  std::memcpy(sums, &s0, sizeof sums);
  for (size_t half = kLanes / 2; half > 0; half /= 2)
    for (size_t j = 0; j < half; ++j) sums[j] += sums[j + half];
  return sums[0] + rest;
}

PAGODA_CLONES
double dot(const double* a, const double* b, size_t n) {
  double sum = 0;
  for (size_t i = 0; i < n; ++i) sum += a[i] * b[i];
  return sum;
}

PAGODA_CLONES
void axpy(float s, const float* x, float* y, size_t n) {
  for (size_t i = 0; i < n; ++i) y[i] += s * x[i];
}

PAGODA_CLONES
void axpy(double s, const double* x, double* y, size_t n) {
  for (size_t i = 0; i < n; ++i) y[i] += s * x[i];
}

PAGODA_CLONES
double exp_shifted(float* x, const float* bias, float shift, size_t n) {
  Doubles low_sum{}, high_sum{};
  size_t i = 0;
  for (; i + kLanes <= n; i += kLanes) {
    PAGODA_LOAD(v, x + i);
    PAGODA_LOAD(b, bias + i);
    v = (v + b) - shift;
    const Floats rounded = v * kLog2E + kRound, m = rounded - kRound;
    const Floats r = (v - m * kLn2High) - m * kLn2Low;
    const Floats q = (((kQ4 * r + kQ3) * r + kQ2) * r + kQ1) * r + kQ0;
    Floats p = (q * (r * r) + r) + 1.0f;
    p = reinterpret_cast<Floats>(reinterpret_cast<Ints>(p) + (reinterpret_cast<Ints>(rounded) << 23));
    p = v > kMost ? Floats{} + kInfinity : p;
    p = v >= kLeast ? p : (v < kLeast ? Floats{} : v);
    std::memcpy(x + i, &p, sizeof p);
    HalfFloats halves[2];
    std::memcpy(halves, &p, sizeof halves);
    low_sum += __builtin_convertvector(halves[0], Doubles);
    high_sum += __builtin_convertvector(halves[1], Doubles);
  }
  double rest = 0;
  for (; i < n; ++i) rest += x[i] = exp_one((x[i] + bias[i]) - shift);
  low_sum += high_sum;
  double sums[kLanes / 2];
  std::memcpy(sums, &low_sum, sizeof sums);
  for (size_t half = kLanes / 4; half > 0; half /= 2)
    for (size_t j = 0; j < half; ++j) sums[j] += sums[j + half];
  return sums[0] + rest;
}

double exp_shifted(double* x, const double* bias, double shift, size_t n) {
  double sum = 0;
  for (size_t i = 0; i < n; ++i) sum += x[i] = std::exp((x[i] + bias[i]) - shift);
  return sum;
}

PAGODA_CLONES
float max_biased(const float* x, const float* bias, size_t n) {
  Floats m0 = Floats{} - kInfinity, m1 = m0;
  size_t i = 0;
  for (; i + 2 * kLanes <= n; i += 2 * kLanes) {
    PAGODA_LOAD(x0, x + i);
    PAGODA_LOAD(x1, x + i + kLanes);
    PAGODA_LOAD(b0, bias + i);
    PAGODA_LOAD(b1, bias + i + kLanes);
    x0 += b0, x1 += b1;
    m0 = x0 > m0 ? x0 : m0, m1 = x1 > m1 ? x1 : m1;
  }
  m0 = m0 > m1 ? m0 : m1;
  float lanes[kLanes];
  std::memcpy(lanes, &m0, sizeof lanes);
  float most = -kInfinity;
  for (const float lane : lanes) most = lane > most ? lane : most;
  for (; i < n; ++i) most = x[i] + bias[i] > most ? x[i] + bias[i] : most;
  return most;
}

double max_biased(const double* x, const double* bias, size_t n) {
  double most = -std::numeric_limits<double>::infinity();
  for (size_t i = 0; i < n; ++i) most = x[i] + bias[i] > most ? x[i] + bias[i] : most;
  return most;
}

PAGODA_CLONES
void scale(float s, float* x, size_t n) {
  for (size_t i = 0; i < n; ++i) x[i] *= s;
}

PAGODA_CLONES
void scale(double s, double* x, size_t n) {
  for (size_t i = 0; i < n; ++i) x[i] *= s;
}

// In a scan for the best few almost every stretch of 64 holds none: its maximum alone is looked at.
PAGODA_CLONES
size_t select_above(const float* x, size_t n, float threshold, unsigned* at) {
  constexpr size_t kStretch = 4 * kLanes;
  size_t count = 0, i = 0;
  for (; i + kStretch <= n; i += kStretch) {
    PAGODA_LOAD(x0, x + i);
    PAGODA_LOAD(x1, x + i + kLanes);
    PAGODA_LOAD(x2, x + i + 2 * kLanes);
    PAGODA_LOAD(x3, x + i + 3 * kLanes);
    const Ints above = (x0 > threshold) | (x1 > threshold) | (x2 > threshold) | (x3 > threshold);
    uint64_t words[8], any = 0;
    std::memcpy(words, &above, sizeof words);
    for (const uint64_t word : words) any |= word;
    if (!any) continue;
    for (size_t j = i; j < i + kStretch; ++j) at[count] = static_cast<unsigned>(j), count += x[j] > threshold;
  }
  for (; i < n; ++i) at[count] = static_cast<unsigned>(i), count += x[i] > threshold;
  return count;
}

#undef PAGODA_LOAD

}  // namespace pagoda
