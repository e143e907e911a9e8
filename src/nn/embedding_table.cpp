#include "nn/embedding_table.h"

#include <algorithm>
#include <type_traits>

#include "core/error.h"
#include "core/rng.h"
#include "math/kernels.h"

namespace pagoda {

namespace {

// y = sum_n weights[n] table[rows[n]], or y += it, n in [begin, end) of lists that are readable up to `last`.
template <bool Add, class T>
void sum_rows(const TileKernels& kernels, MatrixView<const T> table, const uint32_t* rows, const float* weights,
              size_t begin, size_t end, size_t last, T* y) {
  if constexpr (std::is_same_v<T, float>) {
    (Add ? kernels.add_rows : kernels.sum_rows)(table, rows + begin, weights + begin, end - begin, last - begin, y);
  } else {
    if (!Add) std::fill(y, y + table.cols(), T{0});
    for (size_t n = begin; n < end; ++n) axpy(static_cast<T>(weights[n]), table[rows[n]], y, table.cols());
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
void EmbeddingTable<T>::initialise(uint64_t seed, uint64_t lane, double deviation) {
  for (size_t row = 0; row < values_.rows(); ++row) {
    Rng rng(seed, Stream::initialise, row, lane);
    for (auto& v : values_.row(row)) v = static_cast<T>(deviation * rng.normal());
  }
}

template <class T>
void EmbeddingTable<T>::forward(ThreadPool& pool, const Bag& bag, MatrixView<T> out) const {
  check(out.rows() == bag.size() && out.cols() == values_.cols(), "a bag's output has a row an example");
  pool.for_chunks(bag.size(), 256, [&](size_t begin, size_t end) {
    const auto& [offsets, rows] = bag.rows;
    for (size_t i = begin; i < end; ++i)
      sum_rows<false, T>(*kernels_, values_.view(), rows.data(), bag.weights.data(), offsets[i], offsets[i + 1],
                         rows.size(), out[i]);
  });
}

template <class T>
void EmbeddingTable<T>::backward(ThreadPool& pool, std::span<const Reading> readings, RowGradients<T>& out) const {
  std::vector<const Bag*> bags;
  for (const auto& reading : readings) bags.push_back(reading.bag);
  RowUses& uses = out.uses;
  uses.group(pool, bags);
  out.rows = uses.rows;
  out.values.resize(out.rows.size(), values_.cols());
  pool.for_chunks(out.rows.size(), 64, [&](size_t begin, size_t end) {
    for (size_t r = begin; r < end; ++r) {
      const size_t first = uses.first[r], last = uses.first[r + 1];
      for (size_t run = first, n = first; run < last; run = n) {  // the uses of one reading
        const uint8_t reading = uses.readings[run];
        while (n < last && uses.readings[n] == reading) ++n;
        const auto sum = run == first ? sum_rows<false, T> : sum_rows<true, T>;
        sum(*kernels_, readings[reading].d_out, uses.examples.data(), uses.weights.data(), run, n, n, out.values[r]);
      }
    }
  });
}

template struct RowGradients<float>;
template struct RowGradients<double>;
template class EmbeddingTable<float>;
template class EmbeddingTable<double>;

}  // namespace pagoda
