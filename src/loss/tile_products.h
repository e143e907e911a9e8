// The products of a block of user vectors with tiles of item vectors, for BlockedLoss. float: the kernels of
// math/tile_kernels.h, with the powers of a softmax taken in their registers; double (gradient checks): gemm.
#pragma once

#include <algorithm>
#include <vector>

#include "math/matrix.h"
#include "math/tile_kernels.h"
#include "core/thread_pool.h"

namespace pagoda {

// Columns [begin, begin + columns) of V, cut into tiles of `width`.
template <class T>
class TileProducts;

template <>
class TileProducts<double> {
 public:
  static constexpr size_t kPadding = 0;  // beyond a row of E

  void prepare(ThreadPool& pool, MatrixView<const double> items, size_t begin, size_t end, size_t width,
               const std::vector<double>& bias, double divisor);
  // x[i][j] = <u_i, v_j> / divisor for the columns of tile t. x has room for `width` and padding.
  void logits(size_t t, MatrixView<const double> users, MatrixView<double> x) const;
  // partial = E V_t
  void product(size_t t, MatrixView<const double> e, MatrixView<double> partial) const;
  // d_items += E^T U for some of a tile's columns, those of E
  void add_transposed_product(MatrixView<const double> e, MatrixView<const double> users,
                              MatrixView<double> d_items) const;

 private:
  MatrixView<const double> items_;  // of the tiles
  size_t width_ = 0;
  double divisor_ = 1;
};

template <>
class TileProducts<float> {
 public:
  static constexpr size_t kPadding = 16;  // rows of E a power of two apart would share the same few cache lines

  TileProducts() : kernels_(&best_tile_kernels()) {}

  void prepare(ThreadPool& pool, MatrixView<const float> items, size_t begin, size_t end, size_t width,
               const std::vector<float>& bias, double divisor);
  void logits(size_t t, MatrixView<const float> users, MatrixView<float> x) const;
  void product(size_t t, MatrixView<const float> e, MatrixView<float> partial) const;
  void add_transposed_product(MatrixView<const float> e, MatrixView<const float> users,
                              MatrixView<float> d_items) const;

  // e[i][j] = exp(x_ij + bias_j - shifts[i]) and its sum over the tile, where shifts[i] is chosen from a bound on the
  // row's x + bias: no e is above e^kRoom, and what is kFlushed below the bound is 0.
  static constexpr double kRoom = 40, kFlushed = kRoom + 69;
  void powers(size_t t, MatrixView<const float> users, MatrixView<float> e, double* shifts, double* sums) const;

 private:
  const TileKernels* kernels_;
  MatrixView<const float> items_;  // of the tiles; rows with room for whole vectors
  Matrix<float> padded_items_;     // where the caller's rows lack that room
  size_t columns_ = 0, width_ = 0;
  double divisor_ = 1;
  std::vector<float> panels_, bias_;         // bias in powers of two
  std::vector<double> longest_, most_bias_;  // of each tile: its longest vector, its greatest bias
};

}  // namespace pagoda
