#include "math/gemm.h"

#include <dnnl.h>
#include <omp.h>

#include <type_traits>

namespace pagoda::math {

namespace {

struct Shape {
  size_t m, n, k;
};

template <class T>
Shape shape_of(Op op_a, Op op_b, MatrixView<const T> a, MatrixView<const T> b, MatrixView<T> c) {
  const size_t m = op_a == Op::none ? a.rows() : a.cols(), k = op_a == Op::none ? a.cols() : a.rows();
  const size_t k_of_b = op_b == Op::none ? b.rows() : b.cols(), n = op_b == Op::none ? b.cols() : b.rows();
  check(k == k_of_b && c.rows() == m && c.cols() == n, "gemm: the shapes of A, B and C fit");
  return {m, n, k};
}

// C = beta C, where beta = 0 stores zeros whatever C held.
template <class T>
void scale_rows(T beta, MatrixView<T> c) {
  if (beta == T(1)) return;
  for (size_t i = 0; i < c.rows(); ++i)
    for (T& v : c.row(i)) v = beta == T(0) ? T(0) : beta * v;
}

// Without this, oneDNN would use all of OpenMP's threads for each call; the pool has the threads. The setting is per
// thread.
void run_on_this_thread() {
  thread_local const bool set = (omp_set_num_threads(1), true);
  (void)set;
}

}  // namespace

void gemm(Op op_a, Op op_b, float alpha, MatrixView<const float> a, MatrixView<const float> b, float beta,
          MatrixView<float> c) {
  const auto [m, n, k] = shape_of(op_a, op_b, a, b, c);
  if (m == 0 || n == 0) return;
  if (k == 0 || alpha == 0.0f) return scale_rows(beta, c);
  run_on_this_thread();
  const auto letter = [](Op op) { return op == Op::none ? 'N' : 'T'; };
  const auto stride = [](size_t s) { return static_cast<dnnl_dim_t>(s); };
  const auto status = dnnl_sgemm(letter(op_a), letter(op_b), stride(m), stride(n), stride(k), alpha, a.data(),
                                 stride(a.stride()), b.data(), stride(b.stride()), beta, c.data(), stride(c.stride()));
  if (status != dnnl_success)
    fail(ErrorKind::failed, "matrix product {} x {} x {}: oneDNN error {}", m, k, n, static_cast<int>(status));
}

void gemm(Op op_a, Op op_b, double alpha, MatrixView<const double> a, MatrixView<const double> b, double beta,
          MatrixView<double> c) {
  const auto [m, n, k] = shape_of(op_a, op_b, a, b, c);
  scale_rows(beta, c);
  if (alpha == 0.0) return;
  for (size_t i = 0; i < m; ++i) {
    for (size_t p = 0; p < k; ++p) {
      const double scaled = alpha * (op_a == Op::none ? a[i][p] : a[p][i]);
      if (op_b == Op::none)
        for (size_t j = 0; j < n; ++j) c[i][j] += scaled * b[p][j];
      else
        for (size_t j = 0; j < n; ++j) c[i][j] += scaled * b[j][p];
    }
  }
}

template <class T>
void gemm(ThreadPool& pool, Op op_a, Op op_b, T alpha, MatrixView<const T> a, MatrixView<const T> b, T beta,
          MatrixView<T> c) {
  const auto [m, n, k] = shape_of(op_a, op_b, a, b, c);
  if (m == 0 || n == 0) return;
  // A block is a task of about a tenth of a millisecond, but no smaller than what still runs at full speed: every block
  // packs its rows of A and its columns of B anew. Rows are cut first, since a row's columns lie together.
  constexpr size_t kBlockSums = size_t{8} << 20, kLeastRows = 32, kLeastCols = 256;
  size_t rows = m, cols = n;
  while (rows * cols * k > kBlockSums) {
    if (rows >= 2 * kLeastRows && rows >= cols / 4)
      rows = (rows + 1) / 2;
    else if (cols >= 2 * kLeastCols)
      cols = (cols + 1) / 2;
    else if (rows >= 2 * kLeastRows)
      rows = (rows + 1) / 2;
    else
      break;
  }
  const size_t down = (m + rows - 1) / rows, across = (n + cols - 1) / cols;
  pool.run(down * across, [&](size_t block) {
    const size_t top = block / across * rows, left = block % across * cols;
    const size_t bottom = std::min(m, top + rows), right = std::min(n, left + cols);
    const auto rows_of_a = op_a == Op::none ? a.slice_rows(top, bottom) : a.slice_cols(top, bottom);
    const auto cols_of_b = op_b == Op::none ? b.slice_cols(left, right) : b.slice_rows(left, right);
    gemm(op_a, op_b, alpha, rows_of_a, cols_of_b, beta, c.slice_rows(top, bottom).slice_cols(left, right));
  });
}

template void gemm(ThreadPool&, Op, Op, float, MatrixView<const float>, MatrixView<const float>, float,
                   MatrixView<float>);
template void gemm(ThreadPool&, Op, Op, double, MatrixView<const double>, MatrixView<const double>, double,
                   MatrixView<double>);

}  // namespace pagoda::math
