#include "loss/amx_products.h"

#include <algorithm>

#include "core/error.h"

namespace pagoda::loss {

namespace {

constexpr float kNoTerm = 1e30f;  // a shift that makes a row's powers zero
constexpr size_t kRowChunk = 64;

}  // namespace

void AmxProducts::prepare(ThreadPool& pool, math::MatrixView<const float> items, size_t begin, size_t end, size_t width,
                          const std::vector<float>& bias, double divisor) {
  const auto mine = items.slice_rows(begin, end);
  check(width % math::kAmxStep == 0, "a tile holds whole steps of columns");
  columns_ = mine.rows();
  width_ = width;
  dim_ = padded(items.cols());
  const size_t tiles = (columns_ + width - 1) / width;
  shifts_.resize(tiles, width, divisor);
  by_column_.resize(tiles * width, dim_);
  by_dim_.resize(tiles * width, dim_);
  d_items_.resize(tiles * width, dim_);
  pool.run(tiles, [&](size_t t) {
    const auto tile = mine.slice_rows(begin_of(t), end_of(t));
    shifts_.take_tile(t, tile, bias.data() + begin_of(t));
    kernels_->pack_columns(tile, by_column_[begin_of(t)], by_dim_[begin_of(t)]);
    std::fill(d_items_[begin_of(t)], d_items_[begin_of(t)] + padded(tile.rows()) * dim_, 0.0f);
  });
}

void AmxProducts::take_rows(ThreadPool& pool, math::MatrixView<const float> users) {
  users_ = users;
  lengths_.resize(users.rows());
  packed_users_.resize(padded(users.rows()), dim_);
  exp2_shifts_.resize(shifts_.tiles(), packed_users_.rows());
  pool.for_chunks(users.rows(), kRowChunk, [&](size_t first, size_t last) {
    const auto some = users.slice_rows(first, last);
    std::ranges::copy(lengths_of(some), lengths_.begin() + static_cast<ptrdiff_t>(first));
    kernels_->pack_users(some, static_cast<float>(shifts_.scale()), packed_users_[first]);
  });
}

math::AmxBlock AmxProducts::block(size_t t, const MaskedCells& masked) const {
  return {.users = packed_users_.data(),
          .columns = by_column_[begin_of(t)],
          .rows = packed_users_.rows(),
          .n = padded(end_of(t) - begin_of(t)),
          .dim = dim_,
          .shift = exp2_shifts_[t],
          .bias = shifts_.bias(t),
          .masked_at = masked.at() + begin_of(t) / math::kAmxStep,
          .masked_stride = masked.stride(),
          .masked = masked.cells()};
}

void AmxProducts::exp2_sums(size_t t, const MaskedCells& masked, double* shifts, double* sums) {
  std::vector<double> of_rows(packed_users_.rows());
  shifts_.shift(t, lengths_, exp2_shifts_[t], shifts);
  std::fill(exp2_shifts_[t] + users_.rows(), exp2_shifts_[t] + packed_users_.rows(), kNoTerm);
  kernels_->exp2_sums(block(t, masked), of_rows.data());
  std::copy_n(of_rows.begin(), users_.rows(), sums);
}

void AmxProducts::add_products(size_t t, const MaskedCells& masked, std::span<const double> factors,
                               size_t constant_begin, size_t constant_end, float* partial) {
  const std::vector<float> of_rows(factors.begin(), factors.end());
  static thread_local math::Matrix<uint16_t> factored;
  factored.resize(packed_users_.rows(), dim_);
  kernels_->pack_factored_users(users_, of_rows.data(), factored.data());
  const auto in_tile = [&](size_t column) { return std::clamp(column, begin_of(t), end_of(t)) - begin_of(t); };
  kernels_->exp2_products(block(t, masked), by_dim_[begin_of(t)], factored.data(), in_tile(constant_begin),
                          in_tile(constant_end), partial, d_items_[begin_of(t)]);
}

void AmxProducts::add_item(size_t j, std::span<float> d_item) const {
  const float* sums = d_items_.data() + j / math::kAmxTileRows * math::kAmxTileRows * dim_ +
                      j % math::kAmxTileRows * math::kAmxTileRows;
  for (size_t d = 0; d < d_item.size(); d += math::kAmxTileRows, sums += math::kAmxTileFloats)
    for (size_t k = 0; k < std::min(math::kAmxTileRows, d_item.size() - d); ++k) d_item[d + k] += sums[k];
}

}  // namespace pagoda::loss
