#include "math/positive_definite.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "math/gemm.h"

namespace pagoda::math {

namespace {

constexpr size_t kPivots = 192;  // of a block: a product of two blocks stays in the cache of a core

// The same for one block, of which both triangles are given, in double.
void invert_block(MatrixView<float> block) {
  const size_t n = block.rows();
  std::vector<double> a(n * n);
  for (size_t i = 0; i < n; ++i)
    for (size_t j = 0; j < n; ++j) a[i * n + j] = block[i][j];
  for (size_t k = 0; k < n; ++k) {
    const double pivot = a[k * n + k];
    if (!(pivot > 0) || !std::isfinite(pivot)) fail(ErrorKind::failed, "a matrix to invert is not positive definite");
    double* row = &a[k * n];
    for (size_t j = 0; j < n; ++j) row[j] /= pivot;
    row[k] = 1 / pivot;
    for (size_t i = 0; i < n; ++i) {
      if (i == k) continue;
      double* other = &a[i * n];
      const double factor = other[k];
      other[k] = 0;
      for (size_t j = 0; j < n; ++j) other[j] -= factor * row[j];
    }
  }
  for (size_t i = 0; i < n; ++i)
    for (size_t j = 0; j < n; ++j) block[i][j] = static_cast<float>(0.5 * (a[i * n + j] + a[j * n + i]));
}

}  // namespace

void invert_positive_definite(ThreadPool& pool, MatrixView<float> a) {
  const size_t n = a.rows();
  check(a.cols() == n, "a matrix to invert is square");
  // A sweep of the pivots K, with P the inverse of A_KK and R the rows A_K* without A_KK: A_KK becomes -P, A_K*
  // becomes P R, and the rest loses R' P R. Only the upper triangle is kept until the end. What is left, negated, is
  // the inverse.
  Matrix<float> rows(kPivots, n), solved(kPivots, n), pivots(kPivots, kPivots);
  const size_t blocks = (n + kPivots - 1) / kPivots;
  const auto block_end = [&](size_t block) { return std::min(n, (block + 1) * kPivots); };
  for (size_t k = 0; k < blocks; ++k) {
    const size_t begin = k * kPivots, end = block_end(k), count = end - begin;
    const MatrixView<float> p(pivots.data(), count, count, kPivots), r(rows.data(), count, n),
        s(solved.data(), count, n);
    for (size_t i = 0; i < count; ++i) {
      for (size_t j = 0; j < begin; ++j) r[i][j] = a[j][begin + i];
      std::fill_n(r[i] + begin, count, 0.0f);
      std::copy_n(a[begin + i] + end, n - end, r[i] + end);
      for (size_t j = 0; j < count; ++j) p[i][j] = i <= j ? a[begin + i][begin + j] : a[begin + j][begin + i];
    }
    invert_block(p);
    gemm<float>(pool, Op::none, Op::none, 1, p, r, 0, s);
    pool.run(blocks, [&](size_t block) {
      if (block == k) return;
      const size_t from = block * kPivots, to = block_end(block);
      gemm(Op::transpose, Op::none, -1.0f, r.slice_cols(from, to), s.slice_cols(from, n), 1.0f,
           a.slice_rows(from, to).slice_cols(from, n));
    });
    for (size_t i = 0; i < count; ++i) {
      for (size_t j = 0; j < begin; ++j) a[j][begin + i] = s[i][j];
      for (size_t j = i; j < count; ++j) a[begin + i][begin + j] = -p[i][j];
      std::copy_n(s[i] + end, n - end, a[begin + i] + end);
    }
  }
  pool.run(blocks, [&](size_t block) {
    for (size_t i = block * kPivots; i < block_end(block); ++i)
      for (size_t j = i; j < n; ++j) a[i][j] = -a[i][j];
  });
  pool.run(blocks, [&](size_t block) {
    for (size_t i = block * kPivots; i < block_end(block); ++i)
      for (size_t j = 0; j < i; ++j) a[i][j] = a[j][i];
  });
}

}  // namespace pagoda::math
