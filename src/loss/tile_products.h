// The products of a block of user vectors with tiles of item vectors, for BlockedLoss. float: the kernels of
// math/tile_kernels.h, which exponentiate the logits of a softmax in registers; double (gradient checks): gemm.
#pragma once

#include <algorithm>
#include <vector>

#include "core/thread_pool.h"
#include "loss/softmax_shift.h"
#include "math/matrix.h"
#include "math/tile_kernels.h"

namespace pagoda::loss {

// Columns [begin, end) of V, cut into tiles of `width`.
template <class T>
class TileProducts;

template <>
class TileProducts<double> {
 public:
  static constexpr size_t kPadding = 0;  // values after a row of E

  void prepare(ThreadPool& pool, math::MatrixView<const double> items, size_t begin, size_t end, size_t width,
               const std::vector<double>& bias, double divisor);
  // The block of user vectors that the calls below work on.
  void take_rows(math::MatrixView<const double> users) { users_ = users; }
  // x[i][j] = <u_i, v_j> / divisor for the columns of tile t. x has room for `width` and padding.
  void logits(size_t t, math::MatrixView<double> x) const;
  // partial = E V_t
  void product(size_t t, math::MatrixView<const double> e, math::MatrixView<double> partial) const;
  // d_items += E^T U for some of a tile's columns, those of E
  void add_transposed_product(math::MatrixView<const double> e, math::MatrixView<const double> users,
                              math::MatrixView<double> d_items) const;

 private:
  math::MatrixView<const double> items_;  // of the tiles
  math::MatrixView<const double> users_;
  size_t width_ = 0;
  double divisor_ = 1;
};

template <>
class TileProducts<float> {
 public:
  static constexpr size_t kPadding = 16;  // rows of E a power of two apart would share the same few cache lines

  TileProducts() : kernels_(&math::best_tile_kernels()) {}

  void prepare(ThreadPool& pool, math::MatrixView<const float> items, size_t begin, size_t end, size_t width,
               const std::vector<float>& bias, double divisor);
  void take_rows(math::MatrixView<const float> users) {
    users_ = users;
    lengths_ = lengths_of(users);
  }
  void logits(size_t t, math::MatrixView<float> x) const;
  void product(size_t t, math::MatrixView<const float> e, math::MatrixView<float> partial) const;
  void add_transposed_product(math::MatrixView<const float> e, math::MatrixView<const float> users,
                              math::MatrixView<float> d_items) const;

  // e[i][j] = exp(x_ij + bias_j - shifts[i]) and its sum over the tile; shifts of loss/softmax_shift.h.
  void exp2_logits(size_t t, math::MatrixView<float> e, double* shifts, double* sums) const;

 private:
  const math::TileKernels* kernels_;
  math::MatrixView<const float> items_;  // of the tiles; rows are padded to whole vectors
  math::MatrixView<const float> users_;
  std::vector<double> lengths_;       // of users
  math::Matrix<float> padded_items_;  // a copy, if the caller's rows lack that padding
  size_t columns_ = 0, width_ = 0;
  double divisor_ = 1;
  SoftmaxShift shifts_;
  math::Matrix<float> panels_;  // aligned to a cache line, so that no vector spans two
};

}  // namespace pagoda::loss
