// Rows of embeddings, read as weighted sums, updated where they were read.
#pragma once

#include <string>
#include <vector>

#include "core/thread_pool.h"
#include "math/bag.h"
#include "math/matrix.h"
#include "math/precision.h"
#include "math/tile_kernels.h"
#include "nn/optimizer.h"
#include "nn/row_grouping.h"

namespace pagoda::nn {

// The gradient of one table in one step: the rows that were read, each once, with the sum of what came back to it.
template <class T>
struct RowGradients {
  std::vector<uint32_t> rows;  // rising
  math::Matrix<T> values;      // [rows.size(), dim]
  RowGrouping uses;            // where they came from; kept for its memory
  double squared_norm() const;
};

// E [rows, dim].  forward: Y[i] = sum_n w_n E[row_n] over bag i.  backward: dE[r] = sum over its readings of w dY[i],
// added up in the order of the readings (bags in the order given, examples rising), whatever the number of threads.
// Reading may be shared between threads while nobody updates.
template <class T>
class EmbeddingTable {
 public:
  EmbeddingTable() = default;
  // stored: how the rows lie in memory; bf16 beside T = float alone. Memory: math/matrix.h, allocate_table.
  EmbeddingTable(std::string name, uint32_t rows, size_t dim, math::Precision stored = math::Precision::f32);

  // Normal, by (seed, substream, row); from row `small_from` on a 64th of that.
  void initialise(ThreadPool& pool, uint64_t seed, uint64_t substream, double deviation, size_t small_from = SIZE_MAX);
  void forward(ThreadPool& pool, const math::Bag& bag, math::MatrixView<T> out) const;

  // A reading whose gradient comes back: the bag (borrowed until backward) and dY.
  struct Reading {
    const math::Bag* bag;
    math::MatrixView<const T> d_out;
  };
  void backward(ThreadPool& pool, std::span<const Reading> readings, RowGradients<T>& out) const;

  // Moves the rows of the gradient.
  void update(ThreadPool& pool, const StepRate& step, const RowGradients<T>& gradient, OptimizerState<T>& optimizer);

  const std::string& name() const { return name_; }
  size_t rows() const { return stored_ == math::Precision::f32 ? values_.rows() : bf16_.rows(); }
  size_t dim() const { return stored_ == math::Precision::f32 ? values_.cols() : bf16_.cols(); }
  math::Precision stored() const { return stored_; }
  math::Matrix<T>& values() { return values_; }  // of f32; none in bf16
  const math::Matrix<T>& values() const { return values_; }
  math::Matrix<uint16_t>& bf16() { return bf16_; }  // of bf16; none in f32
  const math::Matrix<uint16_t>& bf16() const { return bf16_; }

 private:
  std::string name_;
  math::Precision stored_ = math::Precision::f32;
  math::Matrix<T> values_;
  math::Matrix<uint16_t> bf16_;
  const math::TileKernels* kernels_ = &math::best_tile_kernels();
};

}  // namespace pagoda::nn
