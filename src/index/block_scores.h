// Scores of queries against a block of items: S[q][j] = sum_d Q[q][d] V[j][d].
//
// Every score is one chain of multiply-adds in the order of d, whatever the shape of the call, so its bits depend on
// its query and item alone; a GEMM chooses kernels by shape and does not promise that. The bits do depend on whether
// the CPU has fused multiply-add.
#pragma once

#include <cstdint>
#include <span>

#include "math/rows_view.h"

namespace pagoda::index {

// A block of items, transposed into panels of kLanes items, each [D, kLanes]; the last panel is padded with zeros.
// score() is thread-safe, fill() is not.
class ItemBlock {
 public:
  static constexpr size_t kLanes = 32;

  // Copies the rows [first_row, first_row + n), or rows[0] .. rows[n - 1], of `vectors` [items, D].
  void fill(math::RowsView vectors, size_t first_row, size_t n);
  void fill(math::RowsView vectors, const uint32_t* rows, size_t n);

  size_t items() const { return items_; }

  // scores [queries, >= items() rounded up to kLanes]; columns past items() become 0.
  void score(math::MatrixView<const float> queries, math::MatrixView<float> scores) const;

 private:
  template <class RowOf>
  void fill_rows(math::RowsView vectors, size_t n, RowOf row_of);
  size_t items_ = 0, dim_ = 0;
  math::Matrix<float> panels_;  // [panels * D, kLanes]
};

// scores[i] = <query, vectors[rows[i]]>, with the bits of an ItemBlock. Prefetches the rows, which may be at random
// places.
void score_rows(math::RowsView vectors, std::span<const uint32_t> rows, std::span<const float> query, float* scores);

}  // namespace pagoda::index
