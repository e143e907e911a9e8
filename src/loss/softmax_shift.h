// The shift of a softmax, e^(x + bias - shift), if the maximum is not yet known. It comes from a bound on x + bias of a
// row over a tile (Cauchy-Schwarz): no term is above e^kRoom, and terms kFlushed below the bound become 0. The kernels
// of math/tile_kernels.h take shifts as exponents of two.
#pragma once

#include <cstddef>
#include <numbers>
#include <span>
#include <vector>

#include "math/matrix.h"

namespace pagoda::loss {

// |u| of each row.
std::vector<double> lengths_of(math::MatrixView<const float> users);

class SoftmaxShift {
 public:
  static constexpr double kRoom = 40, kFlushed = kRoom + 69;

  void resize(size_t tiles, size_t width, double divisor);
  // items [n, D]: the columns of tile t, n <= width; bias [n]. Threads may take different tiles at once.
  void take_tile(size_t t, math::MatrixView<const float> items, const float* bias);

  size_t tiles() const { return bias_.rows(); }
  const float* bias(size_t t) const { return bias_[t]; }  // [width], kMaskedBias beyond n
  double scale() const { return std::numbers::log2e / divisor_; }
  // The shifts of rows whose vectors have these lengths, as exponents of two and of e.
  void shift(size_t t, std::span<const double> lengths, float* exp2_shifts, double* shifts) const;

 private:
  size_t width_ = 0;
  double divisor_ = 1;
  math::Matrix<float> bias_;                 // [tiles, width]
  std::vector<double> longest_, most_bias_;  // per tile: the length of its longest vector, its greatest bias
};

}  // namespace pagoda::loss
