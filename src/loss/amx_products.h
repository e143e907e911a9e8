// The products of tile_products.h for the float softmax, on the tile registers of AMX (math/amx_kernels.h): U, V, E and
// the factors of E are rounded to bf16; sums stay float. E is not kept: exp2_sums and add_products both compute it.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/thread_pool.h"
#include "loss/masked_cells.h"
#include "loss/softmax_shift.h"
#include "math/amx_kernels.h"
#include "math/matrix.h"

namespace pagoda::loss {

// Columns [begin, end) of V, cut into tiles of `width`, a multiple of kAmxStep.
class AmxProducts {
 public:
  static constexpr size_t kMostRows = 512, kWidest = 1024;  // what a task touches stays in the second-level cache

  AmxProducts() : kernels_(math::best_amx_kernels()) {}
  bool usable() const { return kernels_ != nullptr; }

  static size_t padded(size_t n) { return (n + math::kAmxStep - 1) / math::kAmxStep * math::kAmxStep; }

  void prepare(ThreadPool& pool, math::MatrixView<const float> items, size_t begin, size_t end, size_t width,
               const std::vector<float>& bias, double divisor);
  // The block of user vectors that the calls below work on.
  void take_rows(ThreadPool& pool, math::MatrixView<const float> users);

  // For each row, shifts and sums of E over tile t as in TileProducts<float>, but without the masked columns.
  void exp2_sums(size_t t, const MaskedCells& masked, double* shifts, double* sums);
  // After exp2_sums of the same rows and tile: partial = E V_t, [rows, D] both rounded up to kAmxStep; and to dV is
  // added E^T diag(factors) U, but for columns [constant_begin, constant_end) of V's, counted from `begin`, of which a
  // part is left out.
  void add_products(size_t t, const MaskedCells& masked, std::span<const double> factors, size_t constant_begin,
                    size_t constant_end, float* partial);

  // d_item += the sum that add_products made for column j, counted from `begin`.
  void add_item(size_t j, std::span<float> d_item) const;

 private:
  math::AmxBlock block(size_t t, const MaskedCells& masked) const;
  size_t begin_of(size_t t) const { return t * width_; }
  size_t end_of(size_t t) const { return std::min(columns_, (t + 1) * width_); }

  const math::AmxKernels* kernels_;
  SoftmaxShift shifts_;
  math::MatrixView<const float> users_;
  std::vector<double> lengths_;                // of users
  size_t columns_ = 0, width_ = 0, dim_ = 0;   // dim_: rounded up
  math::Matrix<uint16_t> packed_users_;        // in powers of two
  math::Matrix<uint16_t> by_column_, by_dim_;  // V, a tile of columns after the other
  math::Matrix<float> exp2_shifts_;            // [tiles, rows rounded up]
  math::Matrix<float> d_items_;                // as AmxKernels::exp2_products has it
};

}  // namespace pagoda::loss
