#include "loss/tile_products.h"

#include <algorithm>

#include "math/gemm.h"
#include "math/kernels.h"

namespace pagoda::loss {

namespace {

size_t round_up(size_t n, size_t step) { return (n + step - 1) / step * step; }

}  // namespace

void TileProducts<double>::prepare(ThreadPool&, math::MatrixView<const double> items, size_t begin, size_t end,
                                   size_t width, const std::vector<double>&, double divisor) {
  items_ = items.slice_rows(begin, end);
  width_ = width;
  divisor_ = divisor;
}

void TileProducts<double>::logits(size_t t, math::MatrixView<double> x) const {
  math::gemm(math::Op::none, math::Op::transpose, 1 / divisor_, users_,
             items_.slice_rows(t * width_, t * width_ + x.cols()), 0.0, x);
}

void TileProducts<double>::product(size_t t, math::MatrixView<const double> e, math::MatrixView<double> partial) const {
  math::gemm(math::Op::none, math::Op::none, 1.0, e, items_.slice_rows(t * width_, t * width_ + e.cols()), 0.0,
             partial);
}

void TileProducts<double>::add_transposed_product(math::MatrixView<const double> e,
                                                  math::MatrixView<const double> users,
                                                  math::MatrixView<double> d_items) const {
  math::gemm(math::Op::transpose, math::Op::none, 1.0, e, users, 1.0, d_items);
}

void TileProducts<float>::prepare(ThreadPool& pool, math::MatrixView<const float> items, size_t begin, size_t end,
                                  size_t width, const std::vector<float>& bias, double divisor) {
  const auto mine = items.slice_rows(begin, end);
  const size_t dim = items.cols(), tiles = (mine.rows() + width - 1) / width;
  const bool padded = dim % kernels_->lanes != 0;
  check(width % kernels_->panel == 0, "a tile holds whole panels");
  columns_ = mine.rows();
  width_ = width;
  divisor_ = divisor;
  shifts_.resize(tiles, width, divisor);
  panels_.resize(tiles * width, dim);
  if (padded) padded_items_.resize(columns_, round_up(dim, kernels_->lanes));
  items_ = padded ? padded_items_.view().slice_cols(0, dim) : mine;
  pool.run(tiles, [&](size_t t) {
    const size_t first = t * width, last = std::min(columns_, first + width);
    kernels_->pack(mine.slice_rows(first, last), panels_.data() + first * dim);
    shifts_.take_tile(t, mine.slice_rows(first, last), bias.data() + first);
    if (!padded) return;
    for (size_t j = first; j < last; ++j) {
      std::copy_n(mine[j], dim, padded_items_[j]);
      std::fill(padded_items_[j] + dim, padded_items_[j] + padded_items_.cols(), 0.0f);
    }
  });
}

void TileProducts<float>::logits(size_t t, math::MatrixView<float> x) const {
  kernels_->products(users_, panels_.data() + t * width_ * users_.cols(), x.cols(), static_cast<float>(1 / divisor_),
                     x);
}

void TileProducts<float>::exp2_logits(size_t t, math::MatrixView<float> e, double* shifts, double* sums) const {
  std::vector<float> exp2_shifts(users_.rows());
  shifts_.shift(t, lengths_, exp2_shifts.data(), shifts);
  kernels_->exp2_logits(users_, panels_.data() + t * width_ * users_.cols(), e.cols(),
                        static_cast<float>(shifts_.scale()), shifts_.bias(t), exp2_shifts.data(),
                        items_.slice_rows(t * width_, t * width_ + e.cols()), e, sums);
}

void TileProducts<float>::product(size_t t, math::MatrixView<const float> e, math::MatrixView<float> partial) const {
  kernels_->product(e, items_.slice_rows(t * width_, t * width_ + e.cols()), partial);
}

void TileProducts<float>::add_transposed_product(math::MatrixView<const float> e, math::MatrixView<const float> users,
                                                 math::MatrixView<float> d_items) const {
  kernels_->add_transposed_product(e, users, d_items);
}

}  // namespace pagoda::loss
