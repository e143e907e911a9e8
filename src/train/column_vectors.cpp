#include "train/column_vectors.h"

#include <algorithm>
#include <numeric>

#include "math/kernels.h"

namespace pagoda::train {

namespace {
constexpr size_t kChunk = 256;
}

void ColumnVectors::arrange(const sampling::Columns& columns, std::span<const int64_t> moments_us) {
  columns_ = columns.items.size();
  memory_begin_ = columns.memory_begin;
  memory_end_ = columns.memory_end;
  const auto& items = columns.items;
  std::vector<uint32_t> order;
  order.reserve(columns_);
  for (uint32_t j = 0; j < columns_; ++j)
    if (j < memory_begin_ || j >= memory_end_) order.push_back(j);
  const auto moment = [&](uint32_t j) { return moments_us.empty() ? 0 : moments_us[j]; };
  const auto before = [&](uint32_t a, uint32_t b) {
    return items[a] != items[b] ? items[a] < items[b] : moment(a) != moment(b) ? moment(a) < moment(b) : a < b;
  };
  if (!std::ranges::is_sorted(order, before)) std::ranges::sort(order, before);  // a catalogue is

  items_.clear();
  timestamps_us_.clear();
  columns_of_.clear();
  for (size_t at = 0; at < order.size(); ++at) {
    const uint32_t j = order[at];
    if (at == 0 || items[j] != items[order[at - 1]] || moment(j) != moment(order[at - 1])) {
      if (at > 0) columns_of_.close();
      items_.push_back(items[j]);
      if (!moments_us.empty()) timestamps_us_.push_back(moment(j));
    }
    columns_of_.values.push_back(j);
  }
  if (!order.empty()) columns_of_.close();
}

void ColumnVectors::gather(ThreadPool& pool, math::MatrixView<const float> tower,
                           const sampling::CrossBatchMemory* memory, math::Matrix<float>& out) const {
  out.resize(columns_, tower.cols());
  pool.for_chunks(items_.size(), kChunk, [&](size_t first, size_t last) {
    for (size_t row = first; row < last; ++row)
      for (const uint32_t j : columns_of_[row]) std::ranges::copy(tower.row(row), out[j]);
  });
  for (size_t j = memory_begin_; j < memory_end_; ++j)
    std::ranges::copy(memory->vectors().row(j - memory_begin_), out[j]);
}

void ColumnVectors::scatter(ThreadPool& pool, math::MatrixView<const float> d_columns, std::span<const float> scale,
                            math::Matrix<float>& d_tower) const {
  d_tower.resize(items_.size(), d_columns.cols());
  pool.for_chunks(items_.size(), kChunk, [&](size_t first, size_t last) {
    for (size_t row = first; row < last; ++row) {
      std::ranges::fill(d_tower.row(row), 0.0f);
      for (const uint32_t j : columns_of_[row])
        math::axpy(scale.empty() ? 1.0f : scale[j], d_columns[j], d_tower[row], d_columns.cols());
    }
  });
}

}  // namespace pagoda::train
