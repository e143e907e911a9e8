#include "nn/history_attention.h"

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "core/rng.h"
#include "math/gemm.h"
#include "math/kernels.h"

namespace pagoda::nn {

namespace {

constexpr size_t kRowChunk = 64;
constexpr double kQueryDeviation = 0.1;  // of A's rows: small beside the biases, not zero, or all heads would be one

// x = softmax(x)
template <class T>
void softmax(std::span<T> x) {
  const T most = *std::ranges::max_element(x);
  T sum = 0;
  for (T& v : x) sum += v = std::exp(v - most);
  for (T& v : x) v /= sum;
}

}  // namespace

template <class T>
HistoryAttention<T>::HistoryAttention(size_t dim, size_t heads, size_t longest)
    : dim_(dim), heads_(heads), longest_(longest), queries_(dim, heads * dim), constants_(1, heads * dim),
      ages_(heads, longest), values_(heads * dim, dim), latest_(dim, dim) {}

template <class T>
void HistoryAttention<T>::initialise(uint64_t seed, uint64_t substream, double recency) {
  Rng rng(seed, Stream::initialise, 0, substream);
  const double deviation = kQueryDeviation / std::sqrt(static_cast<double>(dim_));
  for (T& v : queries_) v = static_cast<T>(deviation * rng.normal());
  constants_.fill(0);
  latest_.fill(0);
  values_.fill(0);
  for (size_t h = 0; h < heads_; ++h) {
    for (size_t k = 0; k < dim_; ++k) values_[h * dim_ + k][k] = T{1} / static_cast<T>(heads_);
    for (size_t j = 0; j < longest_; ++j)
      ages_[h][j] = static_cast<T>(-recency * std::log(1.0 + static_cast<double>(j)));
  }
}

template <class T>
void HistoryAttention<T>::forward(ThreadPool& pool, const EmbeddingTable<T>& table, const math::Bag& histories,
                                  Pass& pass, math::MatrixView<T> out) const {
  const size_t n = histories.size();
  check(table.dim() == dim_ && out.rows() == n && out.cols() == dim_, "shapes of an attention's table and output");
  pass.latest.clear();
  for (size_t i = 0; i < n; ++i) {
    if (const auto history = histories.rows[i]; !history.empty()) pass.latest.add(history[0], 1.f);
    pass.latest.close();
  }
  pass.first.resize(n, dim_);
  table.forward(pool, pass.latest, pass.first);
  pass.queries.resize(n, heads_ * dim_);
  math::gemm<T>(pool, math::Op::none, math::Op::none, T{1}, pass.first, queries_, T{0}, pass.queries);
  pass.pooled.resize(n, heads_ * dim_);
  pass.weights.resize(heads_ * histories.rows.values.size());
  const T scale = 1 / std::sqrt(static_cast<T>(dim_));
  pool.for_chunks(n, kRowChunk, [&](size_t begin, size_t end) {
    math::Matrix<T> items;
    for (size_t i = begin; i < end; ++i) {
      math::axpy(T{1}, constants_.data(), pass.queries[i], heads_ * dim_);
      const auto history = histories.rows[i];
      check(history.size() <= longest_, "a history is at most as long as the attention's");
      std::fill_n(pass.pooled[i], heads_ * dim_, T{0});
      if (history.empty()) continue;
      items.resize(history.size(), dim_);
      table.read(history, items);
      for (size_t h = 0; h < heads_; ++h) {
        const std::span a(pass.weights.data() + heads_ * histories.rows.offsets[i] + h * history.size(),
                          history.size());
        for (size_t j = 0; j < a.size(); ++j)
          a[j] = scale * math::dot(pass.queries[i] + h * dim_, items[j], dim_) + ages_[h][j];
        softmax(a);
        for (size_t j = 0; j < a.size(); ++j) math::axpy(a[j], items[j], pass.pooled[i] + h * dim_, dim_);
      }
    }
  });
  math::gemm<T>(pool, math::Op::none, math::Op::none, T{1}, pass.pooled, values_, T{0}, out);
  math::gemm<T>(pool, math::Op::none, math::Op::none, T{1}, pass.first, latest_, T{1}, out);
}

// With dP = dY V^T:  ds_hj = a_hj (<dP_h, e_j> - <dP_h, P_h>),  dq_h = sum_j ds_hj e_j / sqrt(d),
// de_j = sum_h a_hj dP_h + ds_hj q_h / sqrt(d), and the latest item's besides dY U^T + dq A^T.
template <class T>
std::vector<typename EmbeddingTable<T>::Reading> HistoryAttention<T>::backward(ThreadPool& pool,
                                                                               const EmbeddingTable<T>& table,
                                                                               const math::Bag& histories, Pass& pass,
                                                                               math::MatrixView<const T> d_out,
                                                                               Gradients& g) const {
  const size_t n = histories.size(), width = heads_ * dim_;
  g.values.resize(width, dim_);
  g.latest.resize(dim_, dim_);
  g.queries.resize(dim_, width);
  g.constants.resize(1, width);
  g.ages.resize(heads_, longest_);
  math::gemm<T>(pool, math::Op::transpose, math::Op::none, T{1}, pass.pooled, d_out, T{0}, g.values);
  math::gemm<T>(pool, math::Op::transpose, math::Op::none, T{1}, pass.first, d_out, T{0}, g.latest);
  pass.d_pooled.resize(n, width);
  math::gemm<T>(pool, math::Op::none, math::Op::transpose, T{1}, d_out, values_, T{0}, pass.d_pooled);
  pass.d_first.resize(n, dim_);
  math::gemm<T>(pool, math::Op::none, math::Op::transpose, T{1}, d_out, latest_, T{0}, pass.d_first);

  pass.attended.resize(2 * heads_);
  for (auto& bag : pass.attended) {
    bag.rows = histories.rows;
    bag.weights.resize(histories.rows.values.size());
  }
  g.d_queries.resize(n, width);
  const size_t chunks = (n + kRowChunk - 1) / kRowChunk;
  g.age_parts.resize(chunks, heads_ * longest_);
  g.constant_parts.resize(chunks, width);
  const T scale = 1 / std::sqrt(static_cast<T>(dim_));
  pool.for_chunks(n, kRowChunk, [&](size_t begin, size_t end) {
    T* d_ages = g.age_parts[begin / kRowChunk];
    T* d_constants = g.constant_parts[begin / kRowChunk];
    std::fill_n(d_ages, heads_ * longest_, T{0});
    std::fill_n(d_constants, width, T{0});
    math::Matrix<T> items;
    for (size_t i = begin; i < end; ++i) {
      std::fill_n(g.d_queries[i], width, T{0});
      const auto history = histories.rows[i];
      const size_t at = histories.rows.offsets[i];
      items.resize(history.size(), dim_);
      table.read(history, items);
      for (size_t h = 0; h < heads_ && !history.empty(); ++h) {
        const T* a = pass.weights.data() + heads_ * at + h * history.size();
        const T* d_pooled = pass.d_pooled[i] + h * dim_;
        const T mean = math::dot(d_pooled, pass.pooled[i] + h * dim_, dim_);
        for (size_t j = 0; j < history.size(); ++j) {
          const T d_score = a[j] * (math::dot(d_pooled, items[j], dim_) - mean);
          d_ages[h * longest_ + j] += d_score;
          math::axpy(scale * d_score, items[j], g.d_queries[i] + h * dim_, dim_);
          pass.attended[h].weights[at + j] = static_cast<float>(a[j]);
          pass.attended[heads_ + h].weights[at + j] = static_cast<float>(scale * d_score);
        }
      }
      math::axpy(T{1}, g.d_queries[i], d_constants, width);
    }
  });
  g.ages.fill(0);
  g.constants.fill(0);
  for (size_t c = 0; c < chunks; ++c) {  // in order, so that the bits do not depend on the threads
    math::axpy(T{1}, g.age_parts[c], g.ages.data(), heads_ * longest_);
    math::axpy(T{1}, g.constant_parts[c], g.constants.data(), width);
  }
  math::gemm<T>(pool, math::Op::transpose, math::Op::none, T{1}, pass.first, g.d_queries, T{0}, g.queries);
  math::gemm<T>(pool, math::Op::none, math::Op::transpose, T{1}, g.d_queries, queries_, T{1}, pass.d_first);

  std::vector<typename EmbeddingTable<T>::Reading> readings{{&pass.latest, pass.d_first}};
  for (size_t h = 0; h < heads_; ++h) {
    readings.push_back({&pass.attended[h], pass.d_pooled.view().slice_cols(h * dim_, (h + 1) * dim_)});
    readings.push_back({&pass.attended[heads_ + h], pass.queries.view().slice_cols(h * dim_, (h + 1) * dim_)});
  }
  return readings;
}

template <class T>
double HistoryAttention<T>::Gradients::squared_norm() const {
  double sum = 0;
  for (const auto* m : {&queries, &constants, &ages, &values, &latest})
    for (const T v : *m) sum += static_cast<double>(v) * static_cast<double>(v);
  return sum;
}

template class HistoryAttention<float>;
template class HistoryAttention<double>;

}  // namespace pagoda::nn
