#include "loss/tile_products.h"

#include <cmath>
#include <numbers>

#include "math/gemm.h"
#include "math/kernels.h"

namespace pagoda {

namespace {

size_t round_up(size_t n, size_t step) { return (n + step - 1) / step * step; }

}  // namespace

void TileProducts<double>::prepare(ThreadPool&, MatrixView<const double> items, size_t begin, size_t end, size_t width,
                                   const std::vector<double>&, double divisor) {
  items_ = items.slice_rows(begin, end), width_ = width, divisor_ = divisor;
}

void TileProducts<double>::logits(size_t t, MatrixView<const double> users, MatrixView<double> x) const {
  gemm(Op::none, Op::transpose, 1 / divisor_, users, items_.slice_rows(t * width_, t * width_ + x.cols()), 0.0, x);
}

void TileProducts<double>::product(size_t t, MatrixView<const double> e, MatrixView<double> partial) const {
  gemm(Op::none, Op::none, 1.0, e, items_.slice_rows(t * width_, t * width_ + e.cols()), 0.0, partial);
}

void TileProducts<double>::add_transposed_product(MatrixView<const double> e, MatrixView<const double> users,
                                                  MatrixView<double> d_items) const {
  gemm(Op::transpose, Op::none, 1.0, e, users, 1.0, d_items);
}

void TileProducts<float>::prepare(ThreadPool& pool, MatrixView<const float> items, size_t begin, size_t end,
                                  size_t width, const std::vector<float>& bias, double divisor) {
  const auto mine = items.slice_rows(begin, end);
  const size_t dim = items.cols(), tiles = (mine.rows() + width - 1) / width;
  const bool padded = dim % kernels_->lanes != 0;
  check(width % kernels_->panel == 0, "a tile holds whole panels");
  columns_ = mine.rows(), width_ = width, divisor_ = divisor;
  panels_.resize(tiles * width * dim), bias_.resize(tiles * width);
  longest_.resize(tiles), most_bias_.resize(tiles);
  if (padded) padded_items_.resize(columns_, round_up(dim, kernels_->lanes));
  items_ = padded ? padded_items_.view().slice_cols(0, dim) : mine;
  pool.run(tiles, [&](size_t t) {
    const size_t first = t * width, last = std::min(columns_, first + width);
    kernels_->pack(mine.slice_rows(first, last), panels_.data() + first * dim);
    float square = 0;
    for (size_t j = first; j < last; ++j) {
      square = std::max(square, dot(mine[j], mine[j], dim));
      bias_[j] = static_cast<float>(bias[j] * std::numbers::log2e);
      if (padded) {
        std::copy_n(mine[j], dim, padded_items_[j]);
        std::fill(padded_items_[j] + dim, padded_items_[j] + padded_items_.cols(), 0.0f);
      }
    }
    std::fill(bias_.begin() + static_cast<ptrdiff_t>(last), bias_.begin() + static_cast<ptrdiff_t>(first + width),
              kNoPower);
    longest_[t] = std::sqrt(double{square});
    most_bias_[t] = *std::max_element(bias_.data() + first, bias_.data() + last);
  });
}

void TileProducts<float>::logits(size_t t, MatrixView<const float> users, MatrixView<float> x) const {
  kernels_->products(users, panels_.data() + t * width_ * users.cols(), x.cols(), static_cast<float>(1 / divisor_), x);
}

void TileProducts<float>::powers(size_t t, MatrixView<const float> users, MatrixView<float> e, double* shifts,
                                 double* sums) const {
  constexpr double kLog2E = std::numbers::log2e, kLn2 = std::numbers::ln2;
  const double scale = kLog2E / divisor_;
  std::vector<float> in_powers_of_two(users.rows());
  for (size_t i = 0; i < users.rows(); ++i) {
    // Cauchy-Schwarz. A whole number: exact in float, and so is what it shifts by.
    const double length = std::sqrt(double{dot(users[i], users[i], users.cols())});
    const double shift = std::ceil(scale * length * longest_[t] + most_bias_[t] - kRoom * kLog2E);
    in_powers_of_two[i] = static_cast<float>(shift);
    shifts[i] = double{in_powers_of_two[i]} * kLn2;
  }
  kernels_->powers(users, panels_.data() + t * width_ * users.cols(), e.cols(), static_cast<float>(scale),
                   bias_.data() + t * width_, in_powers_of_two.data(), e, sums);
}

void TileProducts<float>::product(size_t t, MatrixView<const float> e, MatrixView<float> partial) const {
  kernels_->product(e, items_.slice_rows(t * width_, t * width_ + e.cols()), partial);
}

void TileProducts<float>::add_transposed_product(MatrixView<const float> e, MatrixView<const float> users,
                                                 MatrixView<float> d_items) const {
  kernels_->add_transposed_product(e, users, d_items);
}

}  // namespace pagoda
