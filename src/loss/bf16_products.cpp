#include "loss/bf16_products.h"

#include <algorithm>

#include "core/error.h"
#include "math/bf16.h"

namespace pagoda::loss {

namespace {

constexpr float kNoTerm = 1e30f;  // a shift that makes a row's powers zero

// out[k][d] = (factor(2 k) x[2 k][d], factor(2 k + 1) x[2 k + 1][d]), 0 beyond the last row and beyond D.
template <class Factor>
void interleave_rows(math::MatrixView<const float> x, Factor factor, math::MatrixView<uint32_t> out) {
  for (size_t k = 0; 2 * k < x.rows(); ++k) {
    const size_t i = 2 * k;
    const bool both = i + 1 < x.rows();
    const float f = factor(i), g = both ? factor(i + 1) : 0.0f;
    const float *a = x[i], *b = both ? x[i + 1] : a;
    for (size_t d = 0; d < x.cols(); ++d) out[k][d] = math::pair_bf16(f * a[d], g * b[d]);
  }
}

}  // namespace

void Bf16Products::prepare(ThreadPool& pool, math::MatrixView<const float> items, size_t begin, size_t end,
                           size_t width, const std::vector<float>& bias, double divisor) {
  const auto mine = items.slice_rows(begin, end);
  const size_t dim = items.cols(), pairs = (dim + 1) / 2, tiles = (mine.rows() + width - 1) / width;
  check(width % kernels_->panel == 0, "a tile holds whole panels");
  width_ = width;
  shifts_.resize(tiles, width, divisor);
  panels_.resize(tiles * width, pairs);
  items_.resize((mine.rows() + 1) / 2, (dim + kernels_->lanes - 1) / kernels_->lanes * kernels_->lanes);
  pool.run(tiles, [&](size_t t) {
    const size_t first = t * width, last = std::min(mine.rows(), first + width);
    const auto tile = mine.slice_rows(first, last);
    shifts_.take_tile(t, tile, bias.data() + first);
    kernels_->pack_pairs(tile, panels_.data() + first * pairs);
    interleave_rows(tile, [](size_t) { return 1.0f; }, items_.view().slice_rows(first / 2, (last + 1) / 2));
  });
}

void Bf16Products::take_rows(math::MatrixView<const float> users) {
  const size_t dim = users.cols(), pairs = (dim + 1) / 2;
  const auto scale = static_cast<float>(shifts_.scale());
  users_ = users;
  lengths_ = lengths_of(users);
  user_pairs_.resize((users.rows() + 1) / 2 * 2, pairs);
  for (size_t i = 0; i < users.rows(); ++i)
    for (size_t k = 0; k < pairs; ++k)
      user_pairs_[i][k] =
          math::pair_bf16(scale * users[i][2 * k], 2 * k + 1 < dim ? scale * users[i][2 * k + 1] : 0.0f);
  if (users.rows() % 2) std::fill_n(user_pairs_[users.rows()], pairs, 0);
}

void Bf16Products::exp2_logits(size_t t, size_t n, math::MatrixView<uint32_t> by_row,
                               math::MatrixView<uint32_t> by_column, double* shifts, double* sums) const {
  std::vector<float> exp2_shifts(user_pairs_.rows(), kNoTerm);
  std::vector<double> of_rows(user_pairs_.rows());
  shifts_.shift(t, lengths_, exp2_shifts.data(), shifts);
  kernels_->exp2_logits_bf16(user_pairs_, panels_.data() + t * width_ * user_pairs_.cols(), n, shifts_.bias(t),
                             exp2_shifts.data(), by_row, by_column, of_rows.data());
  std::copy_n(of_rows.begin(), lengths_.size(), sums);
}

void Bf16Products::product(size_t t, math::MatrixView<const uint32_t> by_row, math::MatrixView<float> partial) const {
  const auto of_tile = items_.view().slice_cols(0, partial.cols());
  kernels_->product_pairs(by_row, of_tile.slice_rows(t * width_ / 2, t * width_ / 2 + by_row.cols()), partial);
}

void Bf16Products::scale(std::span<const double> factors, math::MatrixView<uint32_t> out) const {
  interleave_rows(users_, [&](size_t i) { return static_cast<float>(factors[i]); }, out);
}

void Bf16Products::add_transposed_product(math::MatrixView<const uint32_t> by_column,
                                          math::MatrixView<const uint32_t> scaled,
                                          math::MatrixView<float> d_items) const {
  kernels_->add_transposed_product_pairs(by_column, scaled, d_items);
}

}  // namespace pagoda::loss
