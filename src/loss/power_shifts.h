// What a softmax's terms are shifted by before their maximum is known: e^(x + bias - shift) with a shift from a bound on
// a row's x + bias over a tile (Cauchy-Schwarz), so that no term is above e^kRoom and what is kFlushed below the bound
// is 0. In powers of two, as the kernels of math/tile_kernels.h take them.
#pragma once

#include <cstddef>
#include <numbers>
#include <span>
#include <vector>

#include "math/matrix.h"

namespace pagoda {

// |u| of each row.
std::vector<double> lengths_of(MatrixView<const float> users);

class PowerShifts {
 public:
  static constexpr double kRoom = 40, kFlushed = kRoom + 69;

  void resize(size_t tiles, size_t width, double divisor);
  // items [n, D]: the columns of tile t, n <= width; bias [n]. Tiles may be taken on several threads.
  void take_tile(size_t t, MatrixView<const float> items, const float* bias);

  const float* bias(size_t t) const { return bias_[t]; }  // [width], kNoPower beyond n
  double scale() const { return std::numbers::log2e / divisor_; }
  // Of rows with vectors of these lengths: the shift in powers of two, and in powers of e.
  void shift(size_t t, std::span<const double> lengths, float* in_powers_of_two, double* shifts) const;

 private:
  size_t width_ = 0;
  double divisor_ = 1;
  Matrix<float> bias_;                       // [tiles, width]
  std::vector<double> longest_, most_bias_;  // of each tile: its longest vector, its greatest bias
};

}  // namespace pagoda
