// Item vectors of earlier batches, kept to serve as negatives (Wang et al., SIGIR 2021, cross-batch negative sampling).
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/bytes.h"
#include "math/matrix.h"

namespace pagoda::sampling {

// A ring of the latest `capacity` positives: item row, its log density when it was pushed, and its vector as it was
// then. Vectors drift slowly, so stale ones still serve; they are constants of the loss. Pushed to by one thread
// between steps; read by any number during a step.
class CrossBatchMemory {
 public:
  CrossBatchMemory(size_t capacity, size_t dim);
  static CrossBatchMemory of(ByteReader& in);  // of whatever capacity and dim was saved; Error{failed}: damaged
  // Appends a batch; the oldest entries make room. vectors [items.size(), dim].
  void push(std::span<const uint32_t> items, std::span<const double> log_density,
            math::MatrixView<const float> vectors);

  size_t size() const { return items_.size(); }  // at most capacity
  size_t capacity() const { return capacity_; }
  size_t dim() const { return vectors_.cols(); }
  // Parallel, in no meaningful order.
  std::span<const uint32_t> items() const { return items_; }
  std::span<const double> log_density() const { return log_density_; }
  math::MatrixView<const float> vectors() const { return vectors_.view().slice_rows(0, size()); }

  void save(ByteWriter& out) const;
  void load(ByteReader& in);                        // Error{failed}: of another capacity or dim
  void take_latest(const CrossBatchMemory& other);  // as many of its entries as there is room for; of the same dim

 private:
  void load_entries(ByteReader& in);
  size_t capacity_, next_ = 0;  // next_: the slot that is written next
  std::vector<uint32_t> items_;
  std::vector<double> log_density_;
  math::Matrix<float> vectors_;  // [capacity, dim]
};

}  // namespace pagoda::sampling
