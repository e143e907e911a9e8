// General matrix multiplication: the one place that calls a BLAS.
#pragma once

#include "core/thread_pool.h"
#include "math/matrix.h"

namespace pagoda::math {

enum class Op { none, transpose };

// C = alpha op(A) op(B) + beta C, with op(A) [m, k], op(B) [k, n], C [m, n]; on the calling thread. float runs in
// oneDNN, double (gradient checks) in plain loops. beta = 0 ignores what C held, NaN included.
void gemm(Op op_a, Op op_b, float alpha, MatrixView<const float> a, MatrixView<const float> b, float beta,
          MatrixView<float> c);
void gemm(Op op_a, Op op_b, double alpha, MatrixView<const double> a, MatrixView<const double> b, double beta,
          MatrixView<double> c);

// The same on a pool: C is cut into blocks by its shape alone and no sum over k is split, so the bits do not depend on
// the number of threads.
template <class T>
void gemm(ThreadPool& pool, Op op_a, Op op_b, T alpha, MatrixView<const T> a, MatrixView<const T> b, T beta,
          MatrixView<T> c);

}  // namespace pagoda::math
