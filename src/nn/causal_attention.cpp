#include "nn/causal_attention.h"

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "math/gemm.h"
#include "math/kernels.h"

namespace pagoda::nn {

namespace {

using math::gemm;
using math::Op;

// Of sequences [first, last): calls f(keys, asked, weights) for each, with the sequence's first position and first
// asked one, both counted from those of `first`, and where its weights begin.
template <class F>
void for_each_sequence(const Sequences& sequences, size_t first, size_t last, size_t heads, const F& f) {
  size_t weights = 0;
  for (size_t s = first; s < last; ++s) {
    f(s, sequences.begins[s] - sequences.begins[first], sequences.asked_begins[s] - sequences.asked_begins[first],
      weights);
    weights += heads * sequences.asked_of(s) * sequences.length(s);
  }
}

}  // namespace

template <class T>
CausalAttention<T>::CausalAttention(size_t dim, size_t heads, size_t longest)
    : dim_(dim), heads_(heads), longest_(longest), queries_(dim, dim), keys_values_(dim, 2 * dim),
      ages_(heads, longest), output_(dim, dim) {
  check(heads > 0 && dim % heads == 0, "an attention's heads share its width evenly");
}

template <class T>
void CausalAttention<T>::forward(const Sequences& sequences, size_t first, size_t last, math::MatrixView<const T> x,
                                 math::MatrixView<const T> z, Pass& pass, math::MatrixView<T> y) const {
  const size_t width = dim_ / heads_;
  pass.queries.resize(z.rows(), dim_);
  pass.keys_values.resize(x.rows(), 2 * dim_);
  pass.mixed.resize(z.rows(), dim_);
  gemm(Op::none, Op::none, T{1}, z, queries_.view(), T{0}, pass.queries.view());
  gemm(Op::none, Op::none, T{1}, x, keys_values_.view(), T{0}, pass.keys_values.view());
  size_t cells = 0;
  for (size_t s = first; s < last; ++s) cells += heads_ * sequences.asked_of(s) * sequences.length(s);
  pass.weights.resize(cells);
  const T scale = 1 / std::sqrt(static_cast<T>(width));
  for_each_sequence(sequences, first, last, heads_, [&](size_t s, size_t keys, size_t asked, size_t weights) {
    const size_t n = sequences.length(s), m = sequences.asked_of(s);
    check(n <= longest_, "a sequence is at most as long as the attention's");
    if (m == 0) return;
    const auto of_sequence = pass.keys_values.view().slice_rows(keys, keys + n);
    for (size_t h = 0; h < heads_; ++h) {
      const size_t left = h * width;
      const math::MatrixView<T> a(pass.weights.data() + weights + h * m * n, m, n);
      gemm(Op::none, Op::transpose, scale,
           math::MatrixView<const T>(pass.queries.view().slice_rows(asked, asked + m).slice_cols(left, left + width)),
           math::MatrixView<const T>(of_sequence.slice_cols(left, left + width)), T{0}, a);
      for (size_t i = 0; i < m; ++i) {
        const size_t read = sequences.asked[sequences.asked_begins[s] + i] + 1;
        const T* bias = ages_[h] + longest_ - read;
        const double sum = math::exp_shifted(a[i], bias, math::max_biased(a[i], bias, read), read);
        math::scale(static_cast<T>(1 / sum), a[i], read);
        std::fill(a[i] + read, a[i] + n, T{0});
      }
      gemm(Op::none, Op::none, T{1}, math::MatrixView<const T>(a),
           math::MatrixView<const T>(of_sequence.slice_cols(dim_ + left, dim_ + left + width)), T{0},
           pass.mixed.view().slice_rows(asked, asked + m).slice_cols(left, left + width));
    }
  });
  gemm(Op::none, Op::none, T{1}, math::MatrixView<const T>(pass.mixed.view()), output_.view(), T{0}, y);
}

// With dO = dY W_o^T:  dV_hj = sum_i a_h(i, j) dO_hi,  da = dO V^T,  ds = a (da - sum_j a da),  db_h(p_i - j) += ds,
// dQ = ds K / sqrt(w),  dK = ds^T Q / sqrt(w).
template <class T>
void CausalAttention<T>::backward(const Sequences& sequences, size_t first, size_t last, math::MatrixView<const T> d_y,
                                  Pass& pass, math::MatrixView<T> d_x, math::MatrixView<T> d_z) const {
  const size_t width = dim_ / heads_;
  pass.d_mixed.resize(pass.mixed.rows(), dim_);
  pass.d_queries.resize(pass.queries.rows(), dim_);
  pass.d_keys_values.resize(pass.keys_values.rows(), 2 * dim_);
  pass.d_keys_values.fill(0);
  pass.d_ages.resize(heads_, longest_);
  pass.d_ages.fill(0);
  gemm(Op::none, Op::transpose, T{1}, d_y, output_.view(), T{0}, pass.d_mixed.view());
  const T scale = 1 / std::sqrt(static_cast<T>(width));
  for_each_sequence(sequences, first, last, heads_, [&](size_t s, size_t keys, size_t asked, size_t weights) {
    const size_t n = sequences.length(s), m = sequences.asked_of(s);
    if (m == 0) return;
    const auto of_sequence = pass.keys_values.view().slice_rows(keys, keys + n);
    const auto d_of_sequence = pass.d_keys_values.view().slice_rows(keys, keys + n);
    pass.d_scores.resize(m * n);
    const math::MatrixView<T> d(pass.d_scores.data(), m, n);
    for (size_t h = 0; h < heads_; ++h) {
      const size_t left = h * width;
      const math::MatrixView<const T> a(pass.weights.data() + weights + h * m * n, m, n);
      const auto rows_of = [&](math::Matrix<T>& matrix) {
        return matrix.view().slice_rows(asked, asked + m).slice_cols(left, left + width);
      };
      const math::MatrixView<const T> d_out = rows_of(pass.d_mixed);
      gemm(Op::transpose, Op::none, T{1}, a, d_out, T{0}, d_of_sequence.slice_cols(dim_ + left, dim_ + left + width));
      gemm(Op::none, Op::transpose, T{1}, d_out,
           math::MatrixView<const T>(of_sequence.slice_cols(dim_ + left, dim_ + left + width)), T{0}, d);
      for (size_t i = 0; i < m; ++i) {
        const size_t at = sequences.asked[sequences.asked_begins[s] + i];
        const T mean = math::dot(a[i], d[i], at + 1);
        for (size_t j = 0; j <= at; ++j) d[i][j] = a[i][j] * (d[i][j] - mean);
        math::axpy(T{1}, d[i], pass.d_ages[h] + longest_ - (at + 1), at + 1);
        std::fill(d[i] + at + 1, d[i] + n, T{0});
      }
      gemm(Op::none, Op::none, scale, math::MatrixView<const T>(d),
           math::MatrixView<const T>(of_sequence.slice_cols(left, left + width)), T{0}, rows_of(pass.d_queries));
      gemm(Op::transpose, Op::none, scale, math::MatrixView<const T>(d),
           math::MatrixView<const T>(rows_of(pass.queries)), T{0}, d_of_sequence.slice_cols(left, left + width));
    }
  });
  gemm(Op::none, Op::transpose, T{1}, math::MatrixView<const T>(pass.d_queries.view()), queries_.view(), T{0}, d_z);
  gemm(Op::none, Op::transpose, T{1}, math::MatrixView<const T>(pass.d_keys_values.view()), keys_values_.view(), T{0},
       d_x);
}

template <class T>
void CausalAttention<T>::clear(Gradients& g) const {
  const auto zero = [](math::Matrix<T>& gradient, const math::Matrix<T>& parameter) {
    gradient.resize(parameter.rows(), parameter.cols());
    gradient.fill(0);
  };
  zero(g.queries, queries_);
  zero(g.keys_values, keys_values_);
  zero(g.ages, ages_);
  zero(g.output, output_);
}

template <class T>
void CausalAttention<T>::add_gradients(ThreadPool& pool, math::MatrixView<const T> x, math::MatrixView<const T> z,
                                       math::MatrixView<const T> d_y, const Pass& pass, Gradients& g) const {
  gemm<T>(pool, Op::transpose, Op::none, T{1}, z, pass.d_queries, T{1}, g.queries);
  gemm<T>(pool, Op::transpose, Op::none, T{1}, x, pass.d_keys_values, T{1}, g.keys_values);
  gemm<T>(pool, Op::transpose, Op::none, T{1}, pass.mixed, d_y, T{1}, g.output);
  math::axpy(T{1}, pass.d_ages.data(), g.ages.data(), g.ages.size());
}

template <class T>
double CausalAttention<T>::Gradients::squared_norm() const {
  double sum = 0;
  for (const auto* m : {&queries, &keys_values, &ages, &output})
    for (const T v : *m) sum += static_cast<double>(v) * static_cast<double>(v);
  return sum;
}

template class CausalAttention<float>;
template class CausalAttention<double>;

}  // namespace pagoda::nn
