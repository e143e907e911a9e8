// Columns that rows name one by one, as their positives or as their row columns, and dV of them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/thread_pool.h"
#include "math/matrix.h"

namespace pagoda::loss {

template <class T>
struct NamedColumn {
  uint32_t row, column;
  T gradient;  // dL / d<u, v>
};

template <class T>
class NamedColumns {
 public:
  std::vector<NamedColumn<T>> list;  // in the order of the rows

  // d_items[column] += gradient users[row] of each, in the order of the list, but for columns [frozen_begin,
  // frozen_end). A task for each range of columns.
  void add_to(ThreadPool& pool, math::MatrixView<const T> users, size_t frozen_begin, size_t frozen_end,
              math::MatrixView<T> d_items);

 private:
  std::vector<uint64_t> column_at_, by_column_;
};

extern template class NamedColumns<float>;
extern template class NamedColumns<double>;

}  // namespace pagoda::loss
