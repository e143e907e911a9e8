// The vectors of a step's columns, computed from as few rows of the item tower as possible.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/thread_pool.h"
#include "math/matrix.h"
#include "sampling/mixture.h"

namespace pagoda::train {

// Many columns hold the same item. The item tower runs once for each (item, moment); all columns of that pair share its
// vector, and their gradients are added up, in rising order of the columns, before the backward pass. Columns of the
// cross-batch memory take their vectors from the memory and return no gradient.
class ColumnVectors {
 public:
  // moments_us: the moment of each column; empty if no feature depends on it.
  void arrange(const sampling::Columns& columns, std::span<const int64_t> moments_us);
  // The rows for the tower to encode, parallel; no moments if none were given.
  std::span<const uint32_t> items() const { return items_; }
  std::span<const int64_t> timestamps_us() const { return timestamps_us_; }

  // tower [items().size(), D] -> V [N, D].
  void gather(ThreadPool& pool, math::MatrixView<const float> tower, const sampling::CrossBatchMemory* memory,
              math::Matrix<float>& out) const;
  // dV [N, D] -> [items().size(), D]; scale: a factor for each column, or empty.
  void scatter(ThreadPool& pool, math::MatrixView<const float> d_columns, std::span<const float> scale,
               math::Matrix<float>& d_tower) const;

 private:
  std::vector<uint32_t> items_;
  std::vector<int64_t> timestamps_us_;
  math::Ragged<uint32_t> columns_of_;  // per row of the tower: its columns, rising
  size_t columns_ = 0, memory_begin_ = 0, memory_end_ = 0;
};

}  // namespace pagoda::train
