// Loops over floats that the compiler vectorises: compiled for AVX-512, AVX2 and plain x86-64, chosen at run time. The
// double overloads are the same formulas, for gradient checks.
#pragma once

#include <cstddef>

namespace pagoda::math {

// sum_k a[k] b[k]
float dot(const float* a, const float* b, size_t n);
double dot(const double* a, const double* b, size_t n);

// sum_j x[j], in double
double sum(const float* x, size_t n);

// y += s x
void axpy(float s, const float* x, float* y, size_t n);
void axpy(double s, const double* x, double* y, size_t n);
void axpy(double s, const float* x, double* y, size_t n);

// x[j] = exp(x[j] + bias[j] - shift); returns the sum in double. Relative error of exp below 2^-22 in float.
double exp_shifted(float* x, const float* bias, float shift, size_t n);
double exp_shifted(double* x, const double* bias, double shift, size_t n);

// With z = x[j] + bias[j]: x[j] = weight[j] sigmoid(z); returns sum_j weight[j] log(1 + e^z) in double. Relative error
// of each term below 2^-20 in float.
double sigmoid_weighted(float* x, const float* bias, const float* weight, size_t n);
double sigmoid_weighted(double* x, const double* bias, const double* weight, size_t n);

// With a = x[j] + offset, over those above 0: y[j] += pull weight[j], and the sums of weight[j] a and of weight[j].
struct Hinge {
  double sum, active;
};
Hinge hinge_weighted(const float* x, float offset, const float* weight, float pull, float* y, size_t n);
Hinge hinge_weighted(const double* x, double offset, const double* weight, double pull, double* y, size_t n);

// max_j (x[j] + bias[j]); -infinity when n = 0
float max_biased(const float* x, const float* bias, size_t n);
double max_biased(const double* x, const double* bias, size_t n);

// x[j] *= s
void scale(float s, float* x, size_t n);
void scale(double s, double* x, size_t n);

// Writes the positions of the x[0..n) that are above `threshold` to `at` (room for n), in rising order; returns their
// number.
size_t select_above(const float* x, size_t n, float threshold, unsigned* at);

}  // namespace pagoda::math
