// Rows of embeddings, read as weighted sums, updated where they were read.
#pragma once

#include <string>
#include <vector>

#include "core/thread_pool.h"
#include "math/bag.h"
#include "math/matrix.h"
#include "math/tile_kernels.h"
#include "nn/optimizer.h"
#include "nn/row_uses.h"

namespace pagoda {

// The gradient of one table in one step: the rows that were read, each once, with the sum of what came back to it.
template <class T>
struct RowGradients {
  std::vector<uint32_t> rows;  // rising
  Matrix<T> values;            // [rows.size(), dim]
  RowUses uses;                // where they came from; kept for its memory
  double squared_norm() const;
};

// E [rows, dim].  forward: Y[i] = sum_n w_n E[row_n] over bag i.  backward: dE[r] = sum over its readings of w dY[i],
// added up in the order of the readings (bags in the order given, examples rising), whatever the number of threads.
// Reading may be shared between threads while nobody updates.
template <class T>
class EmbeddingTable {
 public:
  EmbeddingTable() = default;
  EmbeddingTable(std::string name, uint32_t rows, size_t dim) : name_(std::move(name)), values_(rows, dim) {}

  void initialise(uint64_t seed, uint64_t lane, double deviation);  // normal, by (seed, lane, row)
  void forward(ThreadPool& pool, const Bag& bag, MatrixView<T> out) const;

  // A reading whose gradient comes back: the bag (borrowed until backward) and dY.
  struct Reading {
    const Bag* bag;
    MatrixView<const T> d_out;
  };
  void backward(ThreadPool& pool, std::span<const Reading> readings, RowGradients<T>& out) const;

  const std::string& name() const { return name_; }
  Matrix<T>& values() { return values_; }
  const Matrix<T>& values() const { return values_; }

 private:
  std::string name_;
  Matrix<T> values_;
  const TileKernels* kernels_ = &best_tile_kernels();
};

}  // namespace pagoda
