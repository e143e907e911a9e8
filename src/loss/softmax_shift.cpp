#include "loss/softmax_shift.h"

#include <algorithm>
#include <cmath>

#include "math/kernels.h"
#include "math/tile_kernels.h"

namespace pagoda::loss {

std::vector<double> lengths_of(math::MatrixView<const float> users) {
  std::vector<double> lengths(users.rows());
  for (size_t i = 0; i < lengths.size(); ++i)
    lengths[i] = std::sqrt(double{math::dot(users[i], users[i], users.cols())});
  return lengths;
}

void SoftmaxShift::resize(size_t tiles, size_t width, double divisor) {
  width_ = width;
  divisor_ = divisor;
  bias_.resize(tiles, width);
  longest_.resize(tiles);
  most_bias_.resize(tiles);
}

void SoftmaxShift::take_tile(size_t t, math::MatrixView<const float> items, const float* bias) {
  float* mine = bias_[t];
  float square = 0;
  for (size_t j = 0; j < items.rows(); ++j) {
    square = std::max(square, math::dot(items[j], items[j], items.cols()));
    mine[j] = static_cast<float>(bias[j] * std::numbers::log2e);
  }
  std::fill(mine + items.rows(), mine + width_, math::kMaskedBias);
  longest_[t] = std::sqrt(double{square});
  most_bias_[t] = *std::max_element(mine, mine + items.rows());
}

void SoftmaxShift::shift(size_t t, std::span<const double> lengths, float* exp2_shifts, double* shifts) const {
  for (size_t i = 0; i < lengths.size(); ++i) {
    // A whole exponent: exact in float, and so is the factor.
    const double shift = std::ceil(std::numbers::log2e * (lengths[i] * longest_[t] / divisor_ - kRoom) + most_bias_[t]);
    exp2_shifts[i] = static_cast<float>(shift);
    shifts[i] = double{exp2_shifts[i]} * std::numbers::ln2;
  }
}

}  // namespace pagoda::loss
