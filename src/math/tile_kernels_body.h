// The inner loops of tile_kernels.h over a type of vector. A file of one set of instructions defines `Vector`, inside
// its PAGODA_BEGIN_... (simd_dispatch.h), and includes this once: templates are compiled for the instructions in force
// where they stand.
//
//   struct Vector { using V = ...; kLanes; load, store, set, add, sub, mul, fma;
//                   above(a, b): a bit for each lane with a > b
//                   fraction(x): x - floor(x);  scale(p, x): p 2^floor(x), 0 where x < -100
//                   kRows, kWide, kWideRows: the blocks of C that registers hold
//                   using P = ... of kLanes pairs of bf16; load_pairs, store_pairs, set_pair;
//                   load_bf16: kLanes numbers as floats
//                   dot(a, b, c): c + the two products of each pair, in float
//                   to_bf16(v0, v1): the numbers of two vectors, rounded, one after the other
//                   interleave(x, y, low, high): x0 y0 x1 y1 ... }
//
// Every product here is C[i][j] = sum_k A(i, k) B[k][j] in blocks of kRows x 2 or kWideRows x kWide vectors of C held
// in registers, A's values broadcast one by one, B's rows read as vectors. With bf16 a value of A and B is a pair, and
// k counts pairs.

#pragma once

#include <algorithm>

#include "math/bf16.h"
#include "math/simd_dispatch.h"
#include "math/tile_kernels.h"

namespace pagoda::math {
namespace {  // NOLINT(google-build-namespaces): a part of the file that includes it

using V = Vector::V;
using P = Vector::P;
constexpr size_t kLanes = Vector::kLanes, kPanel = 2 * kLanes;
constexpr int kRows = Vector::kRows;

struct Floats {
  using Value = float;
  static PAGODA_INLINE V load(const float* p) { return Vector::load(p); }
  static PAGODA_INLINE V set(float x) { return Vector::set(x); }
  static PAGODA_INLINE V multiply_add(V a, V b, V c) { return Vector::fma(a, b, c); }
};

struct Pairs {
  using Value = uint32_t;
  static PAGODA_INLINE P load(const uint32_t* p) { return Vector::load_pairs(p); }
  static PAGODA_INLINE P set(uint32_t x) { return Vector::set_pair(x); }
  static PAGODA_INLINE V multiply_add(P a, P b, V c) { return Vector::dot(a, b, c); }
};

// A(i, k) = data[i row_step + k inner_step].
template <class Numbers>
struct Left {
  const Numbers::Value* data;
  size_t row_step, inner_step;
  Left from_row(size_t i) const { return {data + i * row_step, row_step, inner_step}; }
};

// B's row k: data + k step on, two vectors, and the next two `apart` further on.
template <class Numbers>
struct Right {
  const Numbers::Value* data;
  size_t step;
  size_t apart = 2 * kLanes;
};

// What will be read before long: asked for with each k, `step` further on, for the cache of that level.
template <class Value, int Level>
struct Prefetch {
  const Value* data;
  size_t step;
  PAGODA_INLINE void fetch_next() {
    __builtin_prefetch(data, 0, 4 - Level);
    data += step;
  }
};

// sums holds what the products are added to.
template <class Numbers, int R, int W, class... S>
PAGODA_INLINE void multiply_onto(Left<Numbers> a, Right<Numbers> b, size_t inner, V (&sums)[R][W], S... prefetch) {
  for (size_t k = 0; k < inner; ++k, a.data += a.inner_step, b.data += b.step) {
    decltype(Numbers::load(b.data)) columns[W];
#pragma GCC unroll 4
    for (int w = 0; w < W; ++w) columns[w] = Numbers::load(b.data + (w / 2) * b.apart + (w % 2) * kLanes);
    (prefetch.fetch_next(), ...);
#pragma GCC unroll 12
    for (int i = 0; i < R; ++i) {
      const auto one = Numbers::set(a.data[static_cast<size_t>(i) * a.row_step]);
#pragma GCC unroll 4
      for (int w = 0; w < W; ++w) sums[i][w] = Numbers::multiply_add(one, columns[w], sums[i][w]);
    }
  }
}

template <class Numbers, int R, int W, class Finish, class... S>
PAGODA_INLINE void multiply(Left<Numbers> a, Right<Numbers> b, size_t inner, Finish finish, S... prefetch) {
  V sums[R][W];
#pragma GCC unroll 12
  for (int i = 0; i < R; ++i)
#pragma GCC unroll 4
    for (int w = 0; w < W; ++w) sums[i][w] = Vector::set(0);
  multiply_onto(a, b, inner, sums, prefetch...);
  finish(sums);
}

// Calls f with the compile-time number of rows, for all of `rows`, a multiple of Least.
template <int Most, int Least, class F>
PAGODA_INLINE void in_row_groups(size_t rows, F f) {
  size_t i = 0;
  for (; i + Most <= rows; i += Most) f.template operator()<Most>(i);
  if constexpr (Most > 4)
    for (; i + 4 <= rows; i += 4) f.template operator()<4>(i);
  for (; i < rows; i += Least) f.template operator()<Least>(i);
}

// 2^n p(x - n), n = floor(x); p: minimax, its coefficients from the highest down.
template <size_t N>
PAGODA_INLINE V power_of_two(V x, const float (&coefficients)[N]) {
  const V r = Vector::fraction(x);
  V p = Vector::set(coefficients[0]);
#pragma GCC unroll 5
  for (size_t k = 1; k < N; ++k) p = Vector::fma(p, r, Vector::set(coefficients[k]));
  return Vector::scale(p, x);
}

// Relative errors of 2^-23 before rounding, and of 2^-13: for what is rounded to bf16.
constexpr float kFinePower[] = {0.0018775767f, 0.00898934f, 0.055826318f, 0.24015361f, 0.6931531f, 0.99999994f};
constexpr float kRoughPower[] = {0.07802452f, 0.22606716f, 0.69583356f, 0.9999252f};

// panels[p][k][c] = value(V[p panel + c], k), k < inner; 0 beyond the columns.
template <class Value, class ValueOf>
PAGODA_INLINE void pack_values(MatrixView<const float> columns, size_t inner, ValueOf value, Value* panels) {
  const size_t n = columns.rows();
  for (size_t begin = 0; begin < n; begin += kPanel, panels += kPanel * inner) {
    const size_t filled = std::min(kPanel, n - begin);
    for (size_t k = 0; k < inner; ++k) {
      Value* row = panels + k * kPanel;
      for (size_t c = 0; c < filled; ++c) row[c] = value(columns[begin + c], k);
      std::fill(row + filled, row + kPanel, Value{0});
    }
  }
}

void pack(MatrixView<const float> columns, float* panels) {
  pack_values(columns, columns.cols(), [](const float* v, size_t k) { return v[k]; }, panels);
}

void pack_pairs(MatrixView<const float> columns, uint32_t* panels) {
  const size_t dim = columns.cols();
  const auto pair = [&](const float* v, size_t k) {
    return pair_bf16(v[2 * k], 2 * k + 1 < dim ? v[2 * k + 1] : 0.0f);
  };
  pack_values(columns, (dim + 1) / 2, pair, panels);
}

// Calls f with the compile-time number of rows and of vectors, for all panels of [0, n) and all rows: two panels at
// once where registers hold four vectors of a row of sums.
template <class F>
PAGODA_INLINE void in_panels(size_t rows, size_t n, F f) {
  size_t j = 0;
  if constexpr (Vector::kWide > 2)
    for (; j + kPanel < n; j += 2 * kPanel)
      in_row_groups<Vector::kWideRows, 1>(rows, [&]<int R>(size_t i) { f.template operator()<R, 4>(i, j); });
  for (; j < n; j += kPanel) in_row_groups<kRows, 1>(rows, [&]<int R>(size_t i) { f.template operator()<R, 2>(i, j); });
}

void products(MatrixView<const float> u, const float* panels, size_t n, float scale, MatrixView<float> out) {
  const size_t dim = u.cols();
  const Left<Floats> left{u.data(), u.stride(), 1};
  in_panels(u.rows(), n, [&]<int R, int W>(size_t i, size_t j) {
    multiply<Floats, R, W>(left.from_row(i), {panels + j * dim, kPanel, kPanel * dim}, dim, [&](const V(&sums)[R][W]) {
#pragma GCC unroll 12
      for (int r = 0; r < R; ++r) {
        float* row = out[i + static_cast<size_t>(r)] + j;
#pragma GCC unroll 4
        for (int w = 0; w < W; ++w) Vector::store(row + w * kLanes, Vector::mul(sums[r][w], Vector::set(scale)));
      }
    });
  });
}

PAGODA_INLINE void add_to(float* of_row, V a, V b) {
  Vector::store(of_row, Vector::add(Vector::load(of_row), Vector::add(a, b)));
}

// One panel of queries, its first W vectors, or two of them, from query `first` on.
template <int W>
PAGODA_INLINE ScoreHit* above_in_panel(MatrixView<const float> items, const float* panel, size_t first,
                                       const float* bars, ScoreHit* hits) {
  constexpr size_t kLine = 16, kRowsAhead = 64;  // items mostly lie one after the other, and so do the blocks of a scan
  V bar[W];
  for (int w = 0; w < W; ++w) bar[w] = Vector::load(bars + w * kLanes);
  in_row_groups<W == 4 ? Vector::kWideRows : kRows, 1>(items.rows(), [&]<int R>(size_t i) {
    const auto left = Left<Floats>{items.data(), items.stride(), 1}.from_row(i);
    const auto hits_of = [&](const V(&sums)[R][W]) {
#pragma GCC unroll 12
      for (int r = 0; r < R; ++r)
#pragma GCC unroll 4
        for (int w = 0; w < W; ++w) {
          unsigned mask = Vector::above(sums[r][w], bar[w]);
          if (__builtin_expect(mask == 0, 1)) continue;
          alignas(64) float scores[kLanes];
          Vector::store(scores, sums[r][w]);
          for (; mask; mask &= mask - 1) {
            const auto lane = static_cast<size_t>(__builtin_ctz(mask));
            *hits++ = {scores[lane], static_cast<uint32_t>(i + static_cast<size_t>(r)),
                       static_cast<uint32_t>(first + static_cast<size_t>(w) * kLanes + lane)};
          }
        }
    };
    multiply<Floats, R, W>(left, {panel, kPanel, kPanel * items.cols()}, items.cols(), hits_of,
                           Prefetch<float, 1>{items[i + kRowsAhead], kLine});
  });
  return hits;
}

size_t above(MatrixView<const float> items, const float* panels, size_t queries, const float* bars, ScoreHit* hits) {
  ScoreHit* end = hits;
  size_t q = 0;
  if constexpr (Vector::kWide > 2)
    for (; q + kPanel < queries; q += 2 * kPanel)
      end = above_in_panel<4>(items, panels + q * items.cols(), q, bars + q, end);
  for (; q < queries; q += kPanel) {
    const float* panel = panels + q * items.cols();
    end = queries - q > kLanes ? above_in_panel<2>(items, panel, q, bars + q, end)
                               : above_in_panel<1>(items, panel, q, bars + q, end);
  }
  return static_cast<size_t>(end - hits);
}

PAGODA_INLINE void put_sums(const float (*of_rows)[kLanes], size_t rows, double* sums) {
  for (size_t r = 0; r < rows; ++r) {
    double halves[kLanes / 2];  // as a tree: a chain of sums is slow
    for (size_t k = 0; k < kLanes / 2; ++k) halves[k] = double{of_rows[r][k]} + double{of_rows[r][k + kLanes / 2]};
    for (size_t n = kLanes / 4; n > 0; n /= 2)
      for (size_t k = 0; k < n; ++k) halves[k] += halves[k + n];
    sums[r] = halves[0];
  }
}

void exp2_logits(MatrixView<const float> u, const float* panels, size_t n, float scale, const float* bias,
                 const float* shift, MatrixView<const float> prefetch, MatrixView<float> out, double* sums_of_rows) {
  const size_t dim = u.cols();
  constexpr size_t kMost = 96;  // rows whose sums are held at once
  for (size_t first = 0; first < u.rows(); first += kMost) {
    const size_t rows = std::min(kMost, u.rows() - first);
    const Left<Floats> left{u[first], u.stride(), 1};
    alignas(64) float of_rows[kMost][kLanes] = {};
    in_panels(rows, n, [&]<int R, int W>(size_t i, size_t j) {
      const size_t step =
          W * kLanes * R / rows + 1;  // all groups of rows together: the rows of `prefetch` of these columns
      const Prefetch<float, 2> next{prefetch[j] + i / R * step * dim, step};
      multiply<Floats, R, W>(
          left.from_row(i), {panels + j * dim, kPanel, kPanel * dim}, dim,
          [&](const V(&sums)[R][W]) {
#pragma GCC unroll 12
            for (int r = 0; r < R; ++r) {
              const size_t of_group = i + static_cast<size_t>(r), row = first + of_group;
              const V down = Vector::set(shift[row]), s = Vector::set(scale);
              V e[W];
#pragma GCC unroll 4
              for (int w = 0; w < W; ++w) {
                const V x = Vector::fma(sums[r][w], s, Vector::sub(Vector::load(bias + j + w * kLanes), down));
                e[w] = power_of_two(x, kFinePower);
                Vector::store(out[row] + j + w * kLanes, e[w]);
              }
#pragma GCC unroll 2
              for (int w = 0; w < W; w += 2) add_to(of_rows[of_group], e[w], e[w + 1]);
            }
          },
          next);
    });
    put_sums(of_rows, rows, sums_of_rows + first);
  }
}

void exp2_logits_bf16(MatrixView<const uint32_t> u, const uint32_t* panels, size_t n, const float* bias,
                      const float* shift, MatrixView<uint32_t> by_row, MatrixView<uint32_t> by_column,
                      double* sums_of_rows) {
  const size_t pairs = u.cols();
  in_row_groups<kRows, 2>(u.rows(), [&]<int R>(size_t i) {
    const auto left = Left<Pairs>{u.data(), u.stride(), 1}.from_row(i);
    alignas(64) float of_rows[R][kLanes] = {};
    for (size_t j = 0; j < n; j += kPanel) {
      const V bias0 = Vector::load(bias + j), bias1 = Vector::load(bias + j + kLanes);
      V x[R][2];
#pragma GCC unroll 12
      for (int r = 0; r < R; ++r) {
        const V down = Vector::set(shift[i + static_cast<size_t>(r)]);
        x[r][0] = Vector::sub(bias0, down);
        x[r][1] = Vector::sub(bias1, down);
      }
      multiply_onto(left, Right<Pairs>{panels + j * pairs, kPanel}, pairs, x);
#pragma GCC unroll 6
      for (int r = 0; r < R; r += 2) {
        const size_t row = i + static_cast<size_t>(r);
        const V e0 = power_of_two(x[r][0], kRoughPower), e1 = power_of_two(x[r][1], kRoughPower);
        const V f0 = power_of_two(x[r + 1][0], kRoughPower), f1 = power_of_two(x[r + 1][1], kRoughPower);
        add_to(of_rows[r], e0, e1);
        add_to(of_rows[r + 1], f0, f1);
        const P e = Vector::to_bf16(e0, e1), f = Vector::to_bf16(f0, f1);
        P low, high;
        Vector::interleave(e, f, low, high);
        Vector::store_pairs(by_row[row] + j / 2, e);
        Vector::store_pairs(by_row[row + 1] + j / 2, f);
        Vector::store_pairs(by_column[row / 2] + j, low);
        Vector::store_pairs(by_column[row / 2] + j + kLanes, high);
      }
    }
    put_sums(of_rows, R, sums_of_rows + i);
  });
}

__attribute__((noinline)) void put_floats(bool add, float* to, const float* values, size_t n) {
  for (size_t d = 0; d < n; ++d) to[d] = add ? to[d] + values[d] : values[d];
}

// The first `width` <= W kLanes sums to, or onto, the floats at `to`.
template <bool Add, int W>
PAGODA_INLINE void put(float* to, size_t width, const V (&sums)[W]) {
  if (width == W * kLanes) {
#pragma GCC unroll 4
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

// What is added to is large, and so may A be: their columns, and C's rows, are asked for two groups of rows ahead and
// more.
//
// Columns [d, dim) of C in stretches of W vectors, as long as each of them has a column: B is read no further than
// whole vectors reach.
template <bool Add, class Numbers, int Most, int W>
PAGODA_INLINE size_t multiply_columns(Left<Numbers> a, size_t rows, size_t inner,
                                      MatrixView<const typename Numbers::Value> b, size_t d, MatrixView<float> c) {
  constexpr size_t kAhead =
      24;  // columns of A: the time of three or four groups of rows, a third-level cache's and more
  const size_t dim = c.cols();
  for (; d + (W - 1) * kLanes < dim; d += W * kLanes)
    in_row_groups<Most, 1>(rows, [&]<int R>(size_t i) {
      const auto finish = [&](const V(&sums)[R][W]) {
#pragma GCC unroll 12
        for (int r = 0; r < R; ++r) put<Add>(c[i + static_cast<size_t>(r)] + d, std::min(W * kLanes, dim - d), sums[r]);
      };
      const auto left = a.from_row(i);
      const Right<Numbers> right{b.data() + d, b.stride()};
      if constexpr (Add)
        multiply<Numbers, R, W>(left, right, inner, finish,
                                Prefetch<typename Numbers::Value, 1>{left.data + kAhead, left.inner_step},
                                Prefetch<float, 2>{c[i + 2 * R] + d, R * W * kLanes / inner + 1});
      else
        multiply<Numbers, R, W>(left, right, inner, finish);
    });
  return d;
}

template <bool Add, class Numbers>
PAGODA_INLINE void multiply_all(Left<Numbers> a, size_t rows, size_t inner, MatrixView<const typename Numbers::Value> b,
                                MatrixView<float> c) {
  size_t d = 0;
  if constexpr (Vector::kWide > 2)
    d = multiply_columns<Add, Numbers, Vector::kWideRows, Vector::kWide>(a, rows, inner, b, d, c);
  d = multiply_columns<Add, Numbers, kRows, 2>(a, rows, inner, b, d, c);
  multiply_columns<Add, Numbers, kRows, 1>(a, rows, inner, b, d, c);
}

void product(MatrixView<const float> a, MatrixView<const float> b, MatrixView<float> c) {
  multiply_all<false>(Left<Floats>{a.data(), a.stride(), 1}, a.rows(), a.cols(), b, c);
}

void add_transposed_product(MatrixView<const float> a, MatrixView<const float> b, MatrixView<float> c) {
  multiply_all<true>(Left<Floats>{a.data(), 1, a.stride()}, a.cols(), a.rows(), b, c);
}

void product_pairs(MatrixView<const uint32_t> a, MatrixView<const uint32_t> b, MatrixView<float> c) {
  multiply_all<false>(Left<Pairs>{a.data(), a.stride(), 1}, a.rows(), a.cols(), b, c);
}

void add_transposed_product_pairs(MatrixView<const uint32_t> a, MatrixView<const uint32_t> b, MatrixView<float> c) {
  multiply_all<true>(Left<Pairs>{a.data(), 1, a.stride()}, a.cols(), a.rows(), b, c);
}

PAGODA_INLINE V load_numbers(const float* p) { return Vector::load(p); }
PAGODA_INLINE V load_numbers(const uint16_t* p) { return Vector::load_bf16(p); }
PAGODA_INLINE float number(float x) { return x; }
PAGODA_INLINE float number(uint16_t x) { return from_bf16(x); }

// Of one list, columns [0, W vectors): the sum stays in registers, a row of the table is read once. Stored: float, or
// uint16_t that is bf16.
template <bool Add, int W, class Stored>
PAGODA_INLINE void sum_list(const Stored* table, size_t stride, const uint32_t* rows, const float* weights,
                            size_t begin, size_t end, size_t readable, float* y) {
  constexpr size_t kAhead = 16, kLine = 64 / sizeof(Stored);
  V sums[W];
#pragma GCC unroll 4
  for (int w = 0; w < W; ++w) sums[w] = Add ? Vector::load(y + w * kLanes) : Vector::set(0);
  for (size_t n = begin; n < end; ++n) {
    if (n + kAhead < readable)
      for (size_t c = 0; c < W * kLanes; c += kLine) __builtin_prefetch(table + rows[n + kAhead] * stride + c);
    const Stored* row = table + rows[n] * stride;
    const V weight = Vector::set(weights[n]);
#pragma GCC unroll 4
    for (int w = 0; w < W; ++w) sums[w] = Vector::fma(weight, load_numbers(row + w * kLanes), sums[w]);
  }
#pragma GCC unroll 4
  for (int w = 0; w < W; ++w) Vector::store(y + w * kLanes, sums[w]);
}

// All lists in one loop: a store whose line is not there yet holds up those behind it, and a call a list would add a
// dozen of them, on the stack, to the four that a row of 256 bytes needs.
template <bool Add, int W, class Stored>
PAGODA_INLINE size_t sum_lists_at(MatrixView<const Stored> table, const uint64_t* offsets, size_t lists,
                                  const uint32_t* rows, const float* weights, size_t readable, size_t d,
                                  MatrixView<float> out) {
  for (; d + W * kLanes <= table.cols(); d += W * kLanes)
    for (size_t i = 0; i < lists; ++i)
      sum_list<Add, W, Stored>(table.data() + d, table.stride(), rows, weights, offsets[i], offsets[i + 1], readable,
                               out[i] + d);
  return d;
}

template <bool Add, class Stored>
void sum_lists(MatrixView<const Stored> table, const uint64_t* offsets, size_t lists, const uint32_t* rows,
               const float* weights, size_t readable, MatrixView<float> out) {
  size_t d = sum_lists_at<Add, 4, Stored>(table, offsets, lists, rows, weights, readable, 0, out);
  d = sum_lists_at<Add, 2, Stored>(table, offsets, lists, rows, weights, readable, d, out);
  d = sum_lists_at<Add, 1, Stored>(table, offsets, lists, rows, weights, readable, d, out);
  const size_t dim = table.cols();
  for (size_t i = 0; i < lists && d < dim; ++i) {
    if (!Add) std::fill(out[i] + d, out[i] + dim, 0.0f);
    for (size_t n = offsets[i]; n < offsets[i + 1]; ++n)
      for (size_t k = d; k < dim; ++k) out[i][k] += weights[n] * number(table[rows[n]][k]);
  }
}

constexpr TileKernels kKernels{kLanes,
                               kPanel,
                               kRows,
                               pack,
                               products,
                               above,
                               exp2_logits,
                               product,
                               add_transposed_product,
                               pack_pairs,
                               exp2_logits_bf16,
                               product_pairs,
                               add_transposed_product_pairs,
                               sum_lists<false, float>,
                               sum_lists<true, float>,
                               sum_lists<false, uint16_t>};

}  // namespace
}  // namespace pagoda::math
