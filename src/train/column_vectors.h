// The vectors of a step's columns, from as few rows of the item tower as show them.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/thread_pool.h"
#include "math/matrix.h"
#include "sampling/mixture.h"

namespace pagoda::train {

// Many columns hold the same item: the tower runs once for each (item, moment), its vector goes to all of their columns,
// and their gradients are added up, columns rising, before they go back. Columns of the cross-batch memory have their
// vectors from there, and give none back.
class ColumnVectors {
 public:
  // timestamps_us: per column, or empty where no feature follows the moment.
  void arrange(const sampling::Columns& columns, std::span<const int64_t> moments_us);
  // What the tower is to run on, parallel; moments empty as above.
  std::span<const uint32_t> items() const { return items_; }
  std::span<const int64_t> timestamps_us() const { return timestamps_us_; }

  // tower [items().size(), D] -> V [N, D].
  void gather(ThreadPool& pool, math::MatrixView<const float> tower, const sampling::CrossBatchMemory* memory,
              math::Matrix<float>& out) const;
  // dV [N, D] -> [items().size(), D]; scale: a factor of each column, or empty.
  void scatter(ThreadPool& pool, math::MatrixView<const float> d_columns, std::span<const float> scale,
               math::Matrix<float>& d_tower) const;

 private:
  std::vector<uint32_t> items_;
  std::vector<int64_t> timestamps_us_;
  math::Ragged<uint32_t> columns_of_;  // per row of the tower: its columns, rising
  size_t columns_ = 0, memory_begin_ = 0, memory_end_ = 0;
};

}  // namespace pagoda::train
