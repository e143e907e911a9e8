// The products of tile_products.h for the float softmax, in bf16: U, V, E and the factors of E are rounded; sums stay
// float. Values are stored in pairs (math/bf16.h).
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/thread_pool.h"
#include "loss/softmax_shift.h"
#include "math/matrix.h"
#include "math/tile_kernels.h"

namespace pagoda::loss {

// Columns [begin, end) of V, cut into tiles of `width`, an even number.
class Bf16Products {
 public:
  Bf16Products() : kernels_(&math::best_tile_kernels()) {}

  void prepare(ThreadPool& pool, math::MatrixView<const float> items, size_t begin, size_t end, size_t width,
               const std::vector<float>& bias, double divisor);

  // The block of user vectors that the calls below work on.
  void take_rows(math::MatrixView<const float> users);

  // E of the block over the n columns of tile t, written twice: by_row [rows, n / 2] and by_column [rows / 2, n], with
  // `rows` rounded up to an even number (the additional row is zero) and room for `width` columns. shifts and sums of
  // each row: as in TileProducts<float>.
  void exp2_logits(size_t t, size_t n, math::MatrixView<uint32_t> by_row, math::MatrixView<uint32_t> by_column,
                   double* shifts, double* sums) const;
  // partial [rows, D] = E V_t
  void product(size_t t, math::MatrixView<const uint32_t> by_row, math::MatrixView<float> partial) const;
  // out [rows / 2, D]: factors[i] u_i of all rows, in pairs of rows, as add_transposed_product takes them; the rows of
  // `out` have room for whole vectors.
  void scale(std::span<const double> factors, math::MatrixView<uint32_t> out) const;
  // d_items += E^T scaled, for some of a tile's columns, those of by_column.
  void add_transposed_product(math::MatrixView<const uint32_t> by_column, math::MatrixView<const uint32_t> scaled,
                              math::MatrixView<float> d_items) const;

 private:
  const math::TileKernels* kernels_;
  SoftmaxShift shifts_;
  math::MatrixView<const float> users_;
  std::vector<double> lengths_;        // of users
  math::Matrix<uint32_t> user_pairs_;  // in powers of two: [rows rounded up to even, D / 2 rounded up]
  size_t width_ = 0;
  math::Matrix<uint32_t> panels_;  // V, pairs along D
  math::Matrix<uint32_t> items_;   // V, pairs of columns: [columns / 2, D rounded up to a vector]
};

}  // namespace pagoda::loss
