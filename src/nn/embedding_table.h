// A table of embeddings: rows are read as weighted sums, and only the rows that were read are updated.
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

// The gradient of one table in one step: each row that was read, once, with the sum of its gradients.
template <class T>
struct RowGradients {
  std::vector<uint32_t> rows;  // ascending
  math::Matrix<T> values;      // [rows.size(), dim]
  RowGrouping uses;            // scratch; kept to reuse its memory
  double squared_norm() const;
};

// E [rows, dim].  forward: Y[i] = sum_n w_n E[row_n] over bag i.  backward: dE[r] = the sum of w dY[i] over the
// readings of row r, in the order of the readings (bags in the given order, examples ascending) on any number of
// threads. Threads may share reading while no thread updates.
template <class T>
class EmbeddingTable {
 public:
  EmbeddingTable() = default;
  // `stored`: the format of the rows in memory; bf16 only with T = float. Memory: allocate_table (math/matrix.h).
  EmbeddingTable(std::string name, uint32_t rows, size_t dim, math::Precision stored = math::Precision::f32);

  // Normal with this deviation, by (seed, substream, row); from row `small_from` on, a 64th of the deviation, by the
  // row's distance from `small_from`: what stands before those rows may grow, and does not change them.
  void initialise(ThreadPool& pool, uint64_t seed, uint64_t substream, double deviation, size_t small_from = SIZE_MAX);
  void forward(ThreadPool& pool, const math::Bag& bag, math::MatrixView<T> out) const;
  void read(std::span<const uint32_t> rows, math::MatrixView<T> out) const;  // each row as it is

  // A reading to differentiate: the bag (borrowed until backward) and dY.
  struct Reading {
    const math::Bag* bag;
    math::MatrixView<const T> d_out;
  };
  void backward(ThreadPool& pool, std::span<const Reading> readings, RowGradients<T>& out) const;

  // Applies the gradient to its rows.
  void update(ThreadPool& pool, const StepRate& step, const RowGradients<T>& gradient, OptimizerState<T>& optimizer);

  const std::string& name() const { return name_; }
  size_t rows() const { return stored_ == math::Precision::f32 ? values_.rows() : bf16_.rows(); }
  size_t dim() const { return stored_ == math::Precision::f32 ? values_.cols() : bf16_.cols(); }
  math::Precision stored() const { return stored_; }
  math::Matrix<T>& values() { return values_; }  // if stored as f32; empty otherwise
  const math::Matrix<T>& values() const { return values_; }
  math::Matrix<uint16_t>& bf16() { return bf16_; }  // if stored as bf16; empty otherwise
  const math::Matrix<uint16_t>& bf16() const { return bf16_; }

 private:
  std::string name_;
  math::Precision stored_ = math::Precision::f32;
  math::Matrix<T> values_;
  math::Matrix<uint16_t> bf16_;
  const math::TileKernels* kernels_ = &math::best_tile_kernels();
};

}  // namespace pagoda::nn
