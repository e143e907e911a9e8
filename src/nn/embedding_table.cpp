#include "nn/embedding_table.h"

#include <algorithm>
#include <array>
#include <type_traits>

#include "core/error.h"
#include "core/rng.h"
#include "math/bf16.h"
#include "math/kernels.h"

namespace pagoda::nn {

namespace {

constexpr size_t kInitialised = 4096;               // rows a task
constexpr uint64_t kSmallRows = uint64_t{1} << 40;  // the random numbers of the small rows: apart from all other rows

// out[i] = sum_n weights[n] table[rows[n]], or out[i] += it, over list i: offsets[i] <= n < offsets[i + 1]; rows are
// readable up to `last`.
template <bool Add, class T>
void sum_lists(const math::TileKernels& kernels, math::MatrixView<const T> table, std::span<const uint64_t> offsets,
               const std::vector<uint32_t>& rows, const std::vector<float>& weights, size_t last,
               math::MatrixView<T> out) {
  if constexpr (std::is_same_v<T, float>) {
    (Add ? kernels.add_lists : kernels.sum_lists)(table, offsets.data(), offsets.size() - 1, rows.data(),
                                                  weights.data(), last, out);
  } else {
    for (size_t i = 0; i + 1 < offsets.size(); ++i) {
      if (!Add) std::ranges::fill(out.row(i), T{0});
      for (size_t n = offsets[i]; n < offsets[i + 1]; ++n)
        math::axpy(static_cast<T>(weights[n]), table[rows[n]], out[i], table.cols());
    }
  }
}

}  // namespace

template <class T>
double RowGradients<T>::squared_norm() const {
  double sum = 0;
  for (const T v : values) sum += static_cast<double>(v) * static_cast<double>(v);
  return sum;
}

template <class T>
EmbeddingTable<T>::EmbeddingTable(std::string name, uint32_t rows, size_t dim, math::Precision stored)
    : name_(std::move(name)), stored_(stored) {
  check(stored == math::Precision::f32 || (std::is_same_v<T, float>), "only floats are stored as bf16");
  stored == math::Precision::f32 ? values_.resize(rows, dim, math::allocate_table)
                                 : bf16_.resize(rows, dim, math::allocate_table);
}

template <class T>
void EmbeddingTable<T>::initialise(ThreadPool& pool, uint64_t seed, uint64_t substream, double deviation,
                                   size_t small_from) {
  pool.for_chunks(rows(), kInitialised, [&](size_t begin, size_t end) {
    for (size_t row = begin; row < end; ++row) {
      const bool small = row >= small_from;
      Rng rng(seed, Stream::initialise, small ? kSmallRows + (row - small_from) : row, substream);
      const T share = small ? T{1} / 64 : T{1};
      for (size_t k = 0; k < dim(); ++k) {
        const T value = share * static_cast<T>(deviation * rng.normal());
        if (stored_ == math::Precision::f32)
          values_[row][k] = value;
        else
          bf16_[row][k] = math::to_bf16(static_cast<float>(value));
      }
    }
  });
}

template <class T>
void EmbeddingTable<T>::update(ThreadPool& pool, const StepRate& step, const RowGradients<T>& gradient,
                               OptimizerState<T>& optimizer) {
  if (stored_ == math::Precision::bf16)
    optimizer.update_rows_of_bf16(pool, step, gradient.rows, gradient.values, bf16_);
  else
    optimizer.update_rows(pool, step, gradient.rows, gradient.values, values_);
}

template <class T>
void EmbeddingTable<T>::forward(ThreadPool& pool, const math::Bag& bag, math::MatrixView<T> out) const {
  check(out.rows() == bag.size() && out.cols() == dim(), "a bag's output has a row per example");
  pool.for_chunks(bag.size(), 256, [&](size_t begin, size_t end) {
    const std::span offsets = std::span(bag.rows.offsets).subspan(begin, end - begin + 1);
    if constexpr (std::is_same_v<T, float>)
      if (stored_ == math::Precision::bf16)
        return kernels_->sum_lists_of_bf16(bf16_.view(), offsets.data(), end - begin, bag.rows.values.data(),
                                           bag.weights.data(), bag.rows.values.size(), out.slice_rows(begin, end));
    sum_lists<false, T>(*kernels_, values_.view(), offsets, bag.rows.values, bag.weights, bag.rows.values.size(),
                        out.slice_rows(begin, end));
  });
}

template <class T>
void EmbeddingTable<T>::read(std::span<const uint32_t> rows, math::MatrixView<T> out) const {
  for (size_t i = 0; i < rows.size(); ++i) {
    if (stored_ == math::Precision::bf16)
      std::transform(bf16_[rows[i]], bf16_[rows[i]] + dim(), out[i], [](uint16_t v) { return math::from_bf16(v); });
    else
      std::copy_n(values_[rows[i]], dim(), out[i]);
  }
}

template <class T>
void EmbeddingTable<T>::backward(ThreadPool& pool, std::span<const Reading> readings, RowGradients<T>& out) const {
  std::vector<const math::Bag*> bags;
  for (const auto& reading : readings) bags.push_back(reading.bag);
  RowGrouping& uses = out.uses;
  uses.group(pool, bags);
  out.rows = uses.rows;
  out.values.resize(out.rows.size(), dim());
  pool.for_chunks(out.rows.size(), 64, [&](size_t begin, size_t end) {
    const auto d_rows = out.values.view().slice_rows(begin, end);
    if (readings.size() == 1) {
      sum_lists<false, T>(*kernels_, readings[0].d_out, std::span(uses.first).subspan(begin, end - begin + 1),
                          uses.examples, uses.weights, uses.first[end], d_rows);
      return;
    }
    for (size_t r = begin; r < end; ++r) {
      std::ranges::fill(out.values.row(r), T{0});
      const size_t last = uses.first[r + 1];
      for (size_t run = uses.first[r], n = run; run < last; run = n) {  // the uses of one reading
        const uint8_t reading = uses.readings[run];
        while (n < last && uses.readings[n] == reading) ++n;
        sum_lists<true, T>(*kernels_, readings[reading].d_out, std::array<uint64_t, 2>{run, n}, uses.examples,
                           uses.weights, n, d_rows.slice_rows(r - begin, r - begin + 1));
      }
    }
  });
}

template struct RowGradients<float>;
template struct RowGradients<double>;
template class EmbeddingTable<float>;
template class EmbeddingTable<double>;

}  // namespace pagoda::nn
