// The inner loops of tile_kernels.h over a type of vector. A file of one set of instructions defines `Vector`, inside its
// `#pragma GCC target`, and includes this once: templates are compiled for the instructions in force where they stand.
//
//   struct Vector { using V = ...; kLanes, kRows; load, store, set, add, sub, mul, fma;
//                   round: to the nearest integer;  scale(p, n, x): p 2^n, 0 where x < -100 }
//
// Every product here is C[i][j] = sum_k A(i, k) B[k][j] in blocks of kRows x 2 vectors of C held in registers, A's values
// broadcast one by one, B's rows read as vectors.

#pragma once

#include <algorithm>

#include "math/tile_kernels.h"

namespace pagoda {
namespace {

#define PAGODA_INLINE inline __attribute__((always_inline))

using V = Vector::V;
constexpr size_t kLanes = Vector::kLanes, kPanel = 2 * kLanes;
constexpr int kRows = Vector::kRows;

// A(i, k) = data[i row_step + k inner_step].
struct Left {
  const float* data;
  size_t row_step, inner_step;
  Left from_row(size_t i) const { return {data + i * row_step, row_step, inner_step}; }
};

template <int R, int W, class Finish>
PAGODA_INLINE void multiply(Left a, const float* b, size_t b_step, size_t inner, Finish finish) {
  V sums[R][W];
#pragma GCC unroll 12
  for (int i = 0; i < R; ++i)
#pragma GCC unroll 2
    for (int w = 0; w < W; ++w) sums[i][w] = Vector::set(0);
  for (size_t k = 0; k < inner; ++k, a.data += a.inner_step, b += b_step) {
    V columns[W];
#pragma GCC unroll 2
    for (int w = 0; w < W; ++w) columns[w] = Vector::load(b + w * kLanes);
#pragma GCC unroll 12
    for (int i = 0; i < R; ++i) {
      const V one = Vector::set(a.data[static_cast<size_t>(i) * a.row_step]);
#pragma GCC unroll 2
      for (int w = 0; w < W; ++w) sums[i][w] = Vector::fma(one, columns[w], sums[i][w]);
    }
  }
#pragma GCC unroll 12
  for (int i = 0; i < R; ++i) finish(i, sums[i]);
}

// Calls f with the compile-time number of rows, for all of `rows`.
template <class F>
PAGODA_INLINE void in_row_groups(size_t rows, F f) {
  size_t i = 0;
  for (; i + kRows <= rows; i += kRows) f.template operator()<kRows>(i);
  for (; i + 4 <= rows; i += 4) f.template operator()<4>(i);
  for (; i < rows; ++i) f.template operator()<1>(i);
}

// 2^n p(x - n), n the integer nearest to x, p minimax of degree 5: relative error 2^-23 before rounding.
PAGODA_INLINE V power_of_two(V x) {
  const V n = Vector::round(x), r = Vector::sub(x, n);
  V p = Vector::set(0.0013264727f);
  p = Vector::fma(p, r, Vector::set(0.009671513f));
  p = Vector::fma(p, r, Vector::set(0.055507336f));
  p = Vector::fma(p, r, Vector::set(0.24022242f));
  p = Vector::fma(p, r, Vector::set(0.693147f));
  p = Vector::fma(p, r, Vector::set(1.0f));
  return Vector::scale(p, n, x);
}

void pack(MatrixView<const float> columns, float* panels) {
  const size_t n = columns.rows(), dim = columns.cols();
  for (size_t begin = 0; begin < n; begin += kPanel, panels += kPanel * dim) {
    const size_t filled = std::min(kPanel, n - begin);
    for (size_t k = 0; k < dim; ++k) {
      float* row = panels + k * kPanel;
      for (size_t c = 0; c < filled; ++c) row[c] = columns[begin + c][k];
      std::fill(row + filled, row + kPanel, 0.0f);
    }
  }
}

void products(MatrixView<const float> u, const float* panels, size_t n, float scale, MatrixView<float> out) {
  const size_t dim = u.cols();
  in_row_groups(u.rows(), [&]<int R>(size_t i) {
    const Left left = Left{u.data(), u.stride(), 1}.from_row(i);
    for (size_t j = 0; j < n; j += kPanel)
      multiply<R, 2>(left, panels + j * dim, kPanel, dim, [&](int r, const V(&sums)[2]) {
        float* row = out[i + static_cast<size_t>(r)] + j;
        Vector::store(row, Vector::mul(sums[0], Vector::set(scale)));
        Vector::store(row + kLanes, Vector::mul(sums[1], Vector::set(scale)));
      });
  });
}

void powers(MatrixView<const float> u, const float* panels, size_t n, float scale, const float* bias,
            const float* shift, MatrixView<float> out, double* sums_of_rows) {
  const size_t dim = u.cols();
  in_row_groups(u.rows(), [&]<int R>(size_t i) {
    const Left left = Left{u.data(), u.stride(), 1}.from_row(i);
    alignas(64) float of_rows[R][kLanes] = {};
    for (size_t j = 0; j < n; j += kPanel)
      multiply<R, 2>(left, panels + j * dim, kPanel, dim, [&](int r, const V(&sums)[2]) {
        const size_t row = i + static_cast<size_t>(r);
        const V down = Vector::set(-shift[row]), s = Vector::set(scale);
        const V e0 = power_of_two(Vector::fma(sums[0], s, Vector::add(Vector::load(bias + j), down)));
        const V e1 = power_of_two(Vector::fma(sums[1], s, Vector::add(Vector::load(bias + j + kLanes), down)));
        Vector::store(out[row] + j, e0);
        Vector::store(out[row] + j + kLanes, e1);
        Vector::store(of_rows[r], Vector::add(Vector::load(of_rows[r]), Vector::add(e0, e1)));
      });
    for (int r = 0; r < R; ++r) {
      double sum = 0;
      for (const float x : of_rows[r]) sum += x;
      sums_of_rows[i + static_cast<size_t>(r)] = sum;
    }
  });
}

__attribute__((noinline)) void put_floats(bool add, float* to, const float* values, size_t n) {
  for (size_t d = 0; d < n; ++d) to[d] = add ? to[d] + values[d] : values[d];
}

// The first `width` <= W kLanes sums to, or onto, the floats at `to`.
template <bool Add, int W>
PAGODA_INLINE void put(float* to, size_t width, const V (&sums)[W]) {
  if (width == W * kLanes) {
#pragma GCC unroll 2
    for (int w = 0; w < W; ++w) {
      float* at = to + w * kLanes;
      Vector::store(at, Add ? Vector::add(Vector::load(at), sums[w]) : sums[w]);
    }
    return;
  }
  alignas(64) float values[W * kLanes];
  for (int w = 0; w < W; ++w) Vector::store(values + w * kLanes, sums[w]);
  put_floats(Add, to, values, width);
}

template <bool Add>
void multiply_all(Left a, size_t rows, size_t inner, MatrixView<const float> b, MatrixView<float> c) {
  const size_t dim = c.cols();
  in_row_groups(rows, [&]<int R>(size_t i) {
    size_t d = 0;
    for (; d + kLanes < dim; d += kPanel)
      multiply<R, 2>(a.from_row(i), b.data() + d, b.stride(), inner, [&](int r, const V(&sums)[2]) {
        put<Add>(c[i + static_cast<size_t>(r)] + d, std::min(kPanel, dim - d), sums);
      });
    if (d < dim)
      multiply<R, 1>(a.from_row(i), b.data() + d, b.stride(), inner,
                     [&](int r, const V(&sums)[1]) { put<Add>(c[i + static_cast<size_t>(r)] + d, dim - d, sums); });
  });
}

void product(MatrixView<const float> a, MatrixView<const float> b, MatrixView<float> c) {
  multiply_all<false>({a.data(), a.stride(), 1}, a.rows(), a.cols(), b, c);
}

void add_transposed_product(MatrixView<const float> a, MatrixView<const float> b, MatrixView<float> c) {
  multiply_all<true>({a.data(), 1, a.stride()}, a.cols(), a.rows(), b, c);
}

// Columns [d, d + W vectors): the sum stays in registers, a row of the table is read once.
template <bool Add, int W>
PAGODA_INLINE void sum_rows_at(const float* table, size_t stride, const uint32_t* rows, const float* weights, size_t n,
                               size_t readable, float* y) {
  constexpr size_t kAhead = 16, kLine = 64 / sizeof(float);
  V sums[W];
#pragma GCC unroll 4
  for (int w = 0; w < W; ++w) sums[w] = Add ? Vector::load(y + w * kLanes) : Vector::set(0);
  for (size_t i = 0; i < n; ++i) {
    if (i + kAhead < readable)
      for (size_t c = 0; c < W * kLanes; c += kLine) __builtin_prefetch(table + rows[i + kAhead] * stride + c);
    const float* row = table + rows[i] * stride;
    const V weight = Vector::set(weights[i]);
#pragma GCC unroll 4
    for (int w = 0; w < W; ++w) sums[w] = Vector::fma(weight, Vector::load(row + w * kLanes), sums[w]);
  }
#pragma GCC unroll 4
  for (int w = 0; w < W; ++w) Vector::store(y + w * kLanes, sums[w]);
}

template <bool Add>
void sum_all_rows(MatrixView<const float> table, const uint32_t* rows, const float* weights, size_t n, size_t readable,
                  float* y) {
  const size_t dim = table.cols(), stride = table.stride();
  size_t d = 0;
  for (; d + 4 * kLanes <= dim; d += 4 * kLanes)
    sum_rows_at<Add, 4>(table.data() + d, stride, rows, weights, n, readable, y + d);
  for (; d + 2 * kLanes <= dim; d += 2 * kLanes)
    sum_rows_at<Add, 2>(table.data() + d, stride, rows, weights, n, readable, y + d);
  for (; d + kLanes <= dim; d += kLanes)
    sum_rows_at<Add, 1>(table.data() + d, stride, rows, weights, n, readable, y + d);
  if (d == dim) return;
  if (!Add) std::fill(y + d, y + dim, 0.0f);
  for (size_t i = 0; i < n; ++i)
    for (size_t k = d; k < dim; ++k) y[k] += weights[i] * table[rows[i]][k];
}

constexpr TileKernels kKernels{kLanes,
                               kPanel,
                               kRows,
                               pack,
                               products,
                               powers,
                               product,
                               add_transposed_product,
                               sum_all_rows<false>,
                               sum_all_rows<true>};

}  // namespace
}  // namespace pagoda
