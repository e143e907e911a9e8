#include "loss/named_columns.h"

#include <numeric>

#include "math/kernels.h"

namespace pagoda::loss {

// A counting sort by column, which keeps the rows in order.
template <class T>
void NamedColumns<T>::add_to(ThreadPool& pool, math::MatrixView<const T> users, size_t frozen_begin, size_t frozen_end,
                             math::MatrixView<T> d_items) {
  constexpr size_t kColumnChunk = 256;
  column_at_.assign(d_items.rows() + 1, 0);
  for (const auto& n : list) ++column_at_[n.column + 1];
  std::partial_sum(column_at_.begin(), column_at_.end(), column_at_.begin());
  by_column_.resize(list.size());
  for (size_t k = 0; k < list.size(); ++k) by_column_[column_at_[list[k].column]++] = k;
  // column_at_[j] is now where column j ends.
  pool.for_chunks(d_items.rows(), kColumnChunk, [&](size_t first, size_t last) {
    for (size_t k = first == 0 ? 0 : column_at_[first - 1]; k < column_at_[last - 1]; ++k) {
      const auto& n = list[by_column_[k]];
      if (n.column < frozen_begin || n.column >= frozen_end)
        math::axpy(n.gradient, users[n.row], d_items[n.column], d_items.cols());
    }
  });
}

template class NamedColumns<float>;
template class NamedColumns<double>;

}  // namespace pagoda::loss
