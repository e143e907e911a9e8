#include "nn/history_transformer.h"

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "core/rng.h"
#include "math/gemm.h"
#include "math/kernels.h"

namespace pagoda::nn {

namespace {

using math::gemm;
using math::Matrix;
using math::MatrixView;
using math::Op;

constexpr size_t kGroupPositions = 256;  // of a training step: enough for fast products, few enough to stay in a cache
constexpr size_t kHistoryChunk = 8;      // histories that one task reads one after another
constexpr double kSmallQueries = 0.1;    // of the reading attention: small beside the biases, not zero
constexpr uint64_t kDropoutPlaces = 32;  // from here on, beside the layers of an MLP with the same substream

// y = g x / rms(x) of each row; returns 1 / rms(x) in `inverse`.
template <class T>
void normalise(MatrixView<const T> x, const T* gain, std::vector<T>& inverse, Matrix<T>& y) {
  constexpr T kLeast = T{1e-6};  // of the mean square: a row of zeros stays one
  const size_t d = x.cols();
  inverse.resize(x.rows());
  y.resize(x.rows(), d);
  for (size_t i = 0; i < x.rows(); ++i) {
    inverse[i] = 1 / std::sqrt(math::dot(x[i], x[i], d) / static_cast<T>(d) + kLeast);
    for (size_t k = 0; k < d; ++k) y[i][k] = gain[k] * inverse[i] * x[i][k];
  }
}

// d_x += g dy / rms - x <x, g dy> / (d rms^3), and d_gain = the sum of dy x / rms. `d_y` is scratch afterwards.
template <class T>
void add_normalise_backward(MatrixView<const T> x, const T* gain, const std::vector<T>& inverse, MatrixView<T> d_y,
                            MatrixView<T> d_x, Matrix<T>& d_gain) {
  const size_t d = x.cols();
  d_gain.resize(1, d);
  d_gain.fill(0);
  for (size_t i = 0; i < x.rows(); ++i) {
    for (size_t k = 0; k < d; ++k) {
      d_gain[0][k] += d_y[i][k] * x[i][k] * inverse[i];
      d_y[i][k] *= gain[k];
    }
    const T along = math::dot(x[i], d_y[i], d) * inverse[i] * inverse[i] * inverse[i] / static_cast<T>(d);
    math::axpy(inverse[i], d_y[i], d_x[i], d);
    math::axpy(-along, x[i], d_x[i], d);
  }
}

template <class T>
void sum_of_rows(MatrixView<const T> x, Matrix<T>& sum) {
  sum.resize(1, x.cols());
  sum.fill(0);
  for (size_t i = 0; i < x.rows(); ++i) math::axpy(T{1}, x[i], sum[0], x.cols());
}

template <class T>
void copy_rows(MatrixView<const T> x, MatrixView<T> y) {
  for (size_t i = 0; i < x.rows(); ++i) std::copy_n(x[i], x.cols(), y[i]);
}

template <class T>
void add_rows(MatrixView<const T> x, MatrixView<T> y) {
  for (size_t i = 0; i < x.rows(); ++i) math::axpy(T{1}, x[i], y[i], x.cols());
}

// Zeroes a share of x, by the position of its first row and the place where it is in the stack, and scales the rest:
// the same in forward and backward.
template <class T>
void drop(const typename Mlp<T>::Dropout& dropout, uint64_t place, size_t position, MatrixView<T> x) {
  if (dropout.share == 0) return;
  const T kept = static_cast<T>(1 / (1 - dropout.share));
  for (size_t i = 0; i < x.rows(); ++i) {
    Rng rng(dropout.seed, Stream::dropout, dropout.step,
            (dropout.substream * 64 + kDropoutPlaces + place) << 32 | (position + i));
    for (size_t k = 0; k < x.cols(); ++k) x[i][k] *= rng.uniform() < dropout.share ? T{0} : kept;
  }
}

template <class T>
MatrixView<const T> reading_of(const Matrix<T>& matrix) {
  return matrix.view();
}

template <class T>
void random_normal(Matrix<T>& matrix, double deviation, Rng& rng) {
  for (T& v : matrix) v = static_cast<T>(deviation * rng.normal());
}

template <class T>
void set_to_identity(Matrix<T>& matrix, size_t left) {
  for (size_t k = 0; k < matrix.rows(); ++k)
    for (size_t c = 0; c < matrix.rows(); ++c) matrix[k][left + c] = k == c ? T{1} : T{0};
}

}  // namespace

template <class T>
HistoryTransformer<T>::HistoryTransformer(const Shape& shape)
    : shape_(shape), reading_(shape.dim, shape.heads, shape.longest), latest_(shape.dim, shape.dim) {
  const size_t d = shape.dim, inner = 2 * d;
  for (size_t b = 0; b < shape.blocks; ++b)
    blocks_.push_back({.attention = CausalAttention<T>(d, shape.heads, shape.longest),
                       .gain = Matrix<T>(1, d),
                       .gain_between = Matrix<T>(1, d),
                       .inner = Matrix<T>(d, inner),
                       .inner_bias = Matrix<T>(1, inner),
                       .outer = Matrix<T>(inner, d),
                       .outer_bias = Matrix<T>(1, d)});
}

template <class T>
void HistoryTransformer<T>::initialise(uint64_t seed, uint64_t substream, double recency) {
  Rng rng(seed, Stream::initialise, 0, substream);
  const double unit = 1 / std::sqrt(static_cast<double>(shape_.dim));
  const auto fade = [&](Matrix<T>& ages) {
    for (size_t h = 0; h < ages.rows(); ++h)
      for (size_t a = 0; a < ages.cols(); ++a)
        ages[h][ages.cols() - 1 - a] = static_cast<T>(-recency * std::log(1.0 + static_cast<double>(a)));
  };
  for (auto& block : blocks_) {
    random_normal(block.attention.queries(), unit, rng);
    random_normal(block.attention.keys_values(), unit, rng);
    fade(block.attention.ages());
    block.attention.output().fill(0);
    block.gain.fill(1);
    block.gain_between.fill(1);
    random_normal(block.inner, std::sqrt(2.0) * unit, rng);  // He et al. 2015
    block.inner_bias.fill(0);
    block.outer.fill(0);
    block.outer_bias.fill(0);
  }
  random_normal(reading_.queries(), kSmallQueries * unit, rng);
  random_normal(reading_.keys_values(), unit, rng);
  set_to_identity(reading_.keys_values(), shape_.dim);
  fade(reading_.ages());
  set_to_identity(reading_.output(), 0);
  latest_.fill(0);
}

// Where histories are successive, one whose items begin with all of those of the row before goes on in its sequence.
template <class T>
void HistoryTransformer<T>::lay_out(const math::Bag& histories, bool successive, Pass& pass) const {
  pass.asked.clear();
  pass.items.clear();
  pass.place_of.assign(histories.size(), kNone);
  auto& asked = pass.asked;
  const auto end_sequence = [&] {
    if (pass.items.size() == asked.begins.back()) return;
    asked.begins.push_back(static_cast<uint32_t>(pass.items.size()));
    asked.asked_begins.push_back(static_cast<uint32_t>(asked.asked.size()));
  };
  std::span<const uint32_t> before;
  for (size_t i = 0; i < histories.size(); ++i) {
    const auto history = histories.rows[i];
    check(history.size() <= shape_.longest, "a history is at most as long as the transformer's");
    const bool goes_on =
        successive && !before.empty() && history.size() >= before.size() &&
        std::equal(before.begin(), before.end(), history.end() - static_cast<ptrdiff_t>(before.size()));
    const size_t known = goes_on ? before.size() : 0;
    if (!goes_on) end_sequence();
    before = history;
    if (history.empty()) continue;
    for (size_t j = history.size() - known; j-- > 0;) {
      pass.items.add(history[j], 1.f);
      pass.items.close();
    }
    pass.place_of[i] = static_cast<uint32_t>(asked.asked.size());
    asked.asked.push_back(static_cast<uint32_t>(history.size() - 1));
  }
  end_sequence();

  pass.every = {.begins = asked.begins, .asked = {}, .asked_begins = asked.begins};
  pass.group_ends.clear();
  for (size_t s = 0, first = 0; s < asked.size(); ++s) {
    for (uint32_t p = 0; p < asked.length(s); ++p) pass.every.asked.push_back(p);
    if (asked.begins[s + 1] - asked.begins[first] < kGroupPositions && s + 1 < asked.size()) continue;
    pass.group_ends.push_back(first = s + 1);
  }
}

template <class T>
void HistoryTransformer<T>::forward(ThreadPool& pool, const EmbeddingTable<T>& table, const math::Bag& histories,
                                    bool successive, const Dropout& dropout, Pass& pass, MatrixView<T> out) const {
  check(table.dim() == shape_.dim && out.rows() == histories.size() && out.cols() == shape_.dim,
        "shapes of a transformer's table and output");
  lay_out(histories, successive, pass);
  pass.dropout = dropout;
  pass.answers.resize(pass.asked.asked.size(), shape_.dim);
  if (pass.for_backward) {
    pass.groups.resize(std::max(pass.groups.size(), pass.group_ends.size()));
    pool.run(pass.group_ends.size(), [&](size_t g) {
      forward_group(table, g == 0 ? 0 : pass.group_ends[g - 1], pass.group_ends[g], pass, pass.groups[g]);
    });
  } else {
    // Each alone: the shapes of its products, and so its bits, are those of its length.
    pool.for_chunks(pass.asked.size(), kHistoryChunk, [&](size_t begin, size_t end) {
      thread_local GroupPass group;  // the pages of fresh memory would be a quarter of a request's time
      for (size_t s = begin; s < end; ++s) forward_group(table, s, s + 1, pass, group);
    });
  }
  for (size_t i = 0; i < histories.size(); ++i) {
    if (pass.place_of[i] == kNone)
      std::fill_n(out[i], shape_.dim, T{0});
    else
      std::copy_n(pass.answers[pass.place_of[i]], shape_.dim, out[i]);
  }
}

template <class T>
void HistoryTransformer<T>::forward_group(const EmbeddingTable<T>& table, size_t first, size_t last, Pass& pass,
                                          GroupPass& group) const {
  const size_t begin = pass.every.begins[first], n = pass.every.begins[last] - begin, d = shape_.dim;
  group.x.resize(blocks_.size() + 1);
  group.blocks.resize(blocks_.size());
  group.x[0].resize(n, d);
  table.read(std::span(pass.items.rows.values).subspan(begin, n), group.x[0].view());
  drop(pass.dropout, 0, begin, group.x[0].view());
  for (size_t b = 0; b < blocks_.size(); ++b) {
    const auto& block = blocks_[b];
    auto& p = group.blocks[b];
    const auto x = reading_of(group.x[b]);
    normalise(x, block.gain.data(), p.inverse_rms, p.normed);
    p.between.resize(n, d);
    block.attention.forward(pass.every, first, last, p.normed, p.normed, p.attention, p.between);
    drop(pass.dropout, 1 + 2 * b, begin, p.between.view());
    add_rows(x, p.between.view());
    normalise(reading_of(p.between), block.gain_between.data(), p.inverse_rms_between, p.normed_between);
    p.inner.resize(n, 2 * d);
    gemm(Op::none, Op::none, T{1}, reading_of(p.normed_between), block.inner.view(), T{0}, p.inner.view());
    auto& y = group.x[b + 1];
    y.resize(n, d);
    for (size_t i = 0; i < n; ++i) {
      for (size_t k = 0; k < 2 * d; ++k) p.inner[i][k] = std::max(p.inner[i][k] + block.inner_bias[0][k], T{0});
      std::copy_n(block.outer_bias[0], d, y[i]);
    }
    gemm(Op::none, Op::none, T{1}, reading_of(p.inner), block.outer.view(), T{1}, y.view());
    drop(pass.dropout, 2 + 2 * b, begin, y.view());
    add_rows(reading_of(p.between), y.view());
  }
  const size_t asked = pass.asked.asked_begins[first], m = pass.asked.asked_begins[last] - asked;
  group.latest.resize(m, d);
  for (size_t s = first, i = 0; s < last; ++s)
    for (size_t a = 0; a < pass.asked.asked_of(s); ++a, ++i)
      std::copy_n(group.x.back()[pass.asked.begins[s] - begin + pass.asked.asked[asked + i]], d, group.latest[i]);
  const auto answers = pass.answers.view().slice_rows(asked, asked + m);
  reading_.forward(pass.asked, first, last, group.x.back(), group.latest, group.reading, answers);
  gemm(Op::none, Op::none, T{1}, reading_of(group.latest), latest_.view(), T{1}, answers);
}

template <class T>
void HistoryTransformer<T>::backward_group(size_t first, size_t last, Pass& pass, GroupPass& group) const {
  const size_t begin = pass.every.begins[first], n = pass.every.begins[last] - begin, d = shape_.dim;
  const size_t asked = pass.asked.asked_begins[first], m = pass.asked.asked_begins[last] - asked;
  const MatrixView<const T> d_answers = pass.d_answers.view().slice_rows(asked, asked + m);
  group.d_x.resize(n, d);
  group.d_normed.resize(n, d);
  group.d_between.resize(n, d);
  group.d_asked.resize(m, d);
  reading_.backward(pass.asked, first, last, d_answers, group.reading, group.d_x, group.d_asked);
  gemm(Op::none, Op::transpose, T{1}, d_answers, latest_.view(), T{1}, group.d_asked.view());
  for (size_t s = first, i = 0; s < last; ++s)
    for (size_t a = 0; a < pass.asked.asked_of(s); ++a, ++i)
      math::axpy(T{1}, group.d_asked[i], group.d_x[pass.asked.begins[s] - begin + pass.asked.asked[asked + i]], d);
  for (size_t b = blocks_.size(); b-- > 0;) {
    const auto& block = blocks_[b];
    auto& p = group.blocks[b];
    p.d_added.resize(n, d);
    copy_rows(reading_of(group.d_x), p.d_added.view());
    drop(pass.dropout, 2 + 2 * b, begin, p.d_added.view());
    sum_of_rows(reading_of(p.d_added), p.d_outer_bias);
    p.d_inner.resize(n, 2 * d);
    gemm(Op::none, Op::transpose, T{1}, reading_of(p.d_added), block.outer.view(), T{0}, p.d_inner.view());
    for (size_t i = 0; i < n; ++i)
      for (size_t k = 0; k < 2 * d; ++k)
        if (!(p.inner[i][k] > 0)) p.d_inner[i][k] = 0;
    sum_of_rows(reading_of(p.d_inner), p.d_inner_bias);
    gemm(Op::none, Op::transpose, T{1}, reading_of(p.d_inner), block.inner.view(), T{0}, group.d_normed.view());
    copy_rows(reading_of(group.d_x), group.d_between.view());
    add_normalise_backward(reading_of(p.between), block.gain_between.data(), p.inverse_rms_between,
                           group.d_normed.view(), group.d_between.view(), p.d_gain_between);
    p.d_attended.resize(n, d);
    copy_rows(reading_of(group.d_between), p.d_attended.view());
    drop(pass.dropout, 1 + 2 * b, begin, p.d_attended.view());
    group.d_asked.resize(n, d);
    block.attention.backward(pass.every, first, last, p.d_attended, p.attention, group.d_normed, group.d_asked);
    add_rows(reading_of(group.d_asked), group.d_normed.view());
    copy_rows(reading_of(group.d_between), group.d_x.view());
    add_normalise_backward(reading_of(group.x[b]), block.gain.data(), p.inverse_rms, group.d_normed.view(),
                           group.d_x.view(), p.d_gain);
  }
  const auto d_x = pass.d_x.view().slice_rows(begin, begin + n);
  copy_rows(reading_of(group.d_x), d_x);
  drop(pass.dropout, 0, begin, d_x);
}

template <class T>
typename EmbeddingTable<T>::Reading HistoryTransformer<T>::backward(ThreadPool& pool, Pass& pass,
                                                                    MatrixView<const T> d_out,
                                                                    Gradients& gradients) const {
  check(pass.for_backward, "a backward needs what its forward kept");
  const size_t groups = pass.group_ends.size();
  pass.d_answers.resize(pass.asked.asked.size(), shape_.dim);
  for (size_t i = 0; i < pass.place_of.size(); ++i)
    if (pass.place_of[i] != kNone) std::copy_n(d_out[i], shape_.dim, pass.d_answers[pass.place_of[i]]);
  pass.d_x.resize(pass.every.positions(), shape_.dim);
  pool.run(groups, [&](size_t g) {
    backward_group(g == 0 ? 0 : pass.group_ends[g - 1], pass.group_ends[g], pass, pass.groups[g]);
  });
  clear(gradients);
  size_t begin = 0;
  for (size_t g = 0; g < groups; ++g) {  // in order, so that the bits do not depend on the threads
    const size_t end = pass.asked.asked_begins[pass.group_ends[g]];
    add_gradients(pool, pass.groups[g], pass.d_answers.view().slice_rows(begin, end), gradients);
    begin = end;
  }
  return {&pass.items, pass.d_x};
}

template <class T>
void HistoryTransformer<T>::add_gradients(ThreadPool& pool, const GroupPass& group, MatrixView<const T> d_answers,
                                          Gradients& g) const {
  for (size_t b = 0; b < blocks_.size(); ++b) {
    const auto& p = group.blocks[b];
    auto& to = g.blocks[b];
    blocks_[b].attention.add_gradients(pool, p.normed, p.normed, p.d_attended, p.attention, to.attention);
    gemm<T>(pool, Op::transpose, Op::none, T{1}, p.normed_between, p.d_inner, T{1}, to.inner);
    gemm<T>(pool, Op::transpose, Op::none, T{1}, p.inner, p.d_added, T{1}, to.outer);
    for (const auto& [sum, part] :
         {std::pair(&to.gain, &p.d_gain), std::pair(&to.gain_between, &p.d_gain_between),
          std::pair(&to.inner_bias, &p.d_inner_bias), std::pair(&to.outer_bias, &p.d_outer_bias)})
      math::axpy(T{1}, part->data(), sum->data(), sum->size());
  }
  reading_.add_gradients(pool, group.x.back(), group.latest, d_answers, group.reading, g.reading);
  gemm<T>(pool, Op::transpose, Op::none, T{1}, group.latest, d_answers, T{1}, g.latest);
}

template <class T>
void HistoryTransformer<T>::clear(Gradients& g) const {
  const auto zero = [](Matrix<T>& gradient, const Matrix<T>& parameter) {
    gradient.resize(parameter.rows(), parameter.cols());
    gradient.fill(0);
  };
  g.blocks.resize(blocks_.size());
  for (size_t b = 0; b < blocks_.size(); ++b) {
    blocks_[b].attention.clear(g.blocks[b].attention);
    zero(g.blocks[b].gain, blocks_[b].gain);
    zero(g.blocks[b].gain_between, blocks_[b].gain_between);
    zero(g.blocks[b].inner, blocks_[b].inner);
    zero(g.blocks[b].inner_bias, blocks_[b].inner_bias);
    zero(g.blocks[b].outer, blocks_[b].outer);
    zero(g.blocks[b].outer_bias, blocks_[b].outer_bias);
  }
  reading_.clear(g.reading);
  zero(g.latest, latest_);
}

template <class T>
double HistoryTransformer<T>::Gradients::squared_norm() const {
  double sum = reading.squared_norm();
  const auto add = [&](const Matrix<T>& matrix) {
    for (const T v : matrix) sum += static_cast<double>(v) * static_cast<double>(v);
  };
  add(latest);
  for (const auto& block : blocks) {
    sum += block.attention.squared_norm();
    for (const auto* matrix :
         {&block.gain, &block.gain_between, &block.inner, &block.inner_bias, &block.outer, &block.outer_bias})
      add(*matrix);
  }
  return sum;
}

template class HistoryTransformer<float>;
template class HistoryTransformer<double>;

}  // namespace pagoda::nn
