// The masked logits of a block of rows, by steps of 32 rows and of 32 columns, as math/amx_kernels.h takes them.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace pagoda::loss {

class MaskedCells {
 public:
  static constexpr size_t kStep = 32;

  // `most`: how many there are at most.
  void resize(size_t rows, size_t columns, size_t most) {
    stride_ = (columns + kStep - 1) / kStep + 1;
    at_.resize((rows + kStep - 1) / kStep * stride_);
    cells_.resize(most);
  }

  // Rows [32 g, 32 g + rows): masked_of(r) are the masked columns of row 32 g + r, in any order. They are kept from
  // `base` on, where no other group's lie. Threads may take different groups at once.
  template <class MaskedOf>
  void take_group(size_t g, size_t rows, size_t base, MaskedOf masked_of) {
    uint32_t* const at = at_.data() + g * stride_;
    std::fill_n(at, stride_, 0);
    for (size_t r = 0; r < rows; ++r)
      for (const uint32_t j : masked_of(r)) ++at[j / kStep];
    auto sum = static_cast<uint32_t>(base);
    for (size_t b = 0; b < stride_; ++b) {
      sum += at[b];
      at[b] = sum;  // where step b ends
    }
    for (size_t r = 0; r < rows; ++r)
      for (const uint32_t j : masked_of(r))
        cells_[--at[j / kStep]] = static_cast<uint16_t>(r * kStep + j % kStep);  // and now where it begins
  }

  // Of step b of group g: cells()[k] for k in [at()[g stride() + b], at()[g stride() + b + 1]), the row of its group
  // times 32 plus the column of its step.
  const uint32_t* at() const { return at_.data(); }
  size_t stride() const { return stride_; }
  const uint16_t* cells() const { return cells_.data(); }

 private:
  size_t stride_ = 0;
  std::vector<uint32_t> at_;
  std::vector<uint16_t> cells_;
};

}  // namespace pagoda::loss
