#include "sampling/cross_batch_memory.h"

#include <algorithm>

#include "core/error.h"

namespace pagoda::sampling {

CrossBatchMemory::CrossBatchMemory(size_t capacity, size_t dim) : capacity_(capacity), vectors_(capacity, dim) {
  check(capacity >= 1, "a memory holds something");
}

void CrossBatchMemory::push(std::span<const uint32_t> items, std::span<const double> log_density,
                            math::MatrixView<const float> vectors) {
  check(items.size() == log_density.size() && items.size() == vectors.rows(), "an item, its density and its vector");
  for (size_t i = 0; i < items.size(); ++i) {
    if (size() < capacity_) {
      items_.push_back(items[i]);
      log_density_.push_back(log_density[i]);
    } else {
      items_[next_] = items[i];
      log_density_[next_] = log_density[i];
    }
    std::ranges::copy(vectors.row(i), vectors_[next_]);
    next_ = (next_ + 1) % capacity_;
  }
}

void CrossBatchMemory::save(ByteWriter& out) const {
  out.value<uint64_t>(capacity_);
  out.value<uint64_t>(vectors_.cols());
  out.value<uint64_t>(next_);
  out.array(items_);
  out.array(log_density_);
  const auto held = vectors_.values().first(size() * vectors_.cols());
  out.array(std::vector<float>(held.begin(), held.end()));
}

void CrossBatchMemory::load(ByteReader& in) {
  const auto capacity = in.value<uint64_t>(), dim = in.value<uint64_t>();
  if (capacity != capacity_ || dim != vectors_.cols())
    fail(ErrorKind::failed,
         "the cross-batch memory holds {} vectors of {} numbers, the config says {} of {}; set them back", capacity,
         dim, capacity_, vectors_.cols());
  load_entries(in);
}

CrossBatchMemory CrossBatchMemory::of(ByteReader& in) {
  constexpr uint64_t kMost = uint64_t{1} << 32;
  const auto capacity = in.value<uint64_t>(), dim = in.value<uint64_t>();
  if (capacity < 1 || dim < 1 || capacity > kMost || dim > kMost) in.damaged("a memory of an impossible size");
  CrossBatchMemory memory(capacity, dim);
  memory.load_entries(in);
  return memory;
}

void CrossBatchMemory::take_latest(const CrossBatchMemory& other) {
  check(other.dim() == dim(), "the vectors of a memory are of one length");
  if (other.capacity_ == capacity_) {  // in their places: the order of columns is that of a run that was not cut
    *this = other;
    return;
  }
  const size_t n = other.size(), taken = std::min(n, capacity_);
  const size_t oldest = n < other.capacity_ ? 0 : other.next_;
  for (size_t i = n - taken; i < n; ++i) {
    const size_t at = (oldest + i) % n;
    push(other.items().subspan(at, 1), other.log_density().subspan(at, 1), other.vectors().slice_rows(at, at + 1));
  }
}

void CrossBatchMemory::load_entries(ByteReader& in) {
  next_ = in.value<uint64_t>();
  items_ = in.array<uint32_t>();
  log_density_ = in.array<double>();
  const auto held = in.array<float>();
  if (items_.size() > capacity_ || next_ >= capacity_ || log_density_.size() != items_.size() ||
      held.size() != items_.size() * dim())
    fail(ErrorKind::failed, "the saved cross-batch memory is damaged: its arrays are of different lengths");
  std::ranges::copy(held, vectors_.begin());
}

}  // namespace pagoda::sampling
