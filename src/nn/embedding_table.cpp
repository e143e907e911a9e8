#include "nn/embedding_table.h"

#include <algorithm>
#include <array>

#include "core/error.h"
#include "core/rng.h"
#include "math/kernels.h"

namespace pagoda {

namespace {

// One use of a table row: example `example` of reading `reading` took it with weight `weight`.
struct Use {
  uint32_t row;
  uint32_t example;
  float weight;
  uint32_t reading;
};

// Stable, by row: least significant digit first, 11 bits a pass.
void sort_by_row(std::vector<Use>& uses, uint32_t largest_row) {
  constexpr uint32_t kBits = 11, kDigits = 1u << kBits;
  std::vector<Use> other(uses.size());
  for (uint32_t shift = 0; shift < 32 && (largest_row >> shift) > 0; shift += kBits) {
    std::array<size_t, kDigits + 1> start{};
    for (const auto& use : uses) ++start[((use.row >> shift) & (kDigits - 1)) + 1];
    for (uint32_t d = 0; d < kDigits; ++d) start[d + 1] += start[d];
    for (const auto& use : uses) other[start[(use.row >> shift) & (kDigits - 1)]++] = use;
    uses.swap(other);
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
  constexpr size_t kAhead = 16;
  check(out.rows() == bag.size() && out.cols() == values_.cols(), "a bag's output has a row an example");
  pool.for_chunks(bag.size(), 64, [&](size_t begin, size_t end) {
    const auto& rows = bag.rows.values;
    const size_t last = bag.rows.offsets[end];
    for (size_t i = begin; i < end; ++i) {
      T* y = out[i];
      std::fill(y, y + values_.cols(), T{0});
      for (size_t n = bag.rows.offsets[i]; n < bag.rows.offsets[i + 1]; ++n) {
        if (n + kAhead < last) __builtin_prefetch(values_[rows[n + kAhead]]);
        axpy(static_cast<T>(bag.weights[n]), values_[rows[n]], y, values_.cols());
      }
    }
  });
}

template <class T>
void EmbeddingTable<T>::backward(ThreadPool& pool, std::span<const Reading> readings, RowGradients<T>& out) const {
  std::vector<Use> uses;
  size_t total = 0;
  for (const auto& reading : readings) total += reading.bag->rows.values.size();
  uses.reserve(total);
  uint32_t largest = 0;
  for (uint32_t r = 0; r < readings.size(); ++r) {
    const Bag& bag = *readings[r].bag;
    for (uint32_t i = 0; i < bag.size(); ++i)
      for (size_t n = bag.rows.offsets[i]; n < bag.rows.offsets[i + 1]; ++n) {
        uses.push_back({bag.rows.values[n], i, bag.weights[n], r});
        largest = std::max(largest, bag.rows.values[n]);
      }
  }
  if (!std::is_sorted(uses.begin(), uses.end(), [](const Use& a, const Use& b) { return a.row < b.row; }))
    sort_by_row(uses, largest);
  std::vector<size_t> first;  // of each distinct row's uses
  out.rows.clear();
  for (size_t n = 0; n < uses.size(); ++n)
    if (n == 0 || uses[n].row != uses[n - 1].row) first.push_back(n), out.rows.push_back(uses[n].row);
  first.push_back(uses.size());
  out.values.resize(out.rows.size(), values_.cols());
  pool.for_chunks(out.rows.size(), 256, [&](size_t begin, size_t end) {
    for (size_t r = begin; r < end; ++r) {
      T* gradient = out.values[r];
      std::fill(gradient, gradient + values_.cols(), T{0});
      for (size_t n = first[r]; n < first[r + 1]; ++n)
        axpy(static_cast<T>(uses[n].weight), readings[uses[n].reading].d_out[uses[n].example], gradient,
             values_.cols());
    }
  });
}

template struct RowGradients<float>;
template struct RowGradients<double>;
template class EmbeddingTable<float>;
template class EmbeddingTable<double>;

}  // namespace pagoda
