#include "model/tower.h"

#include "core/error.h"
#include "nn/normalise.h"

namespace pagoda::model {

template <class T>
Tower<T>::Tower(features::TowerLayout layout, std::vector<size_t> table_of, std::span<const int64_t> hidden, size_t dim,
                bool normalise)
    : layout_(std::move(layout)), table_of_(std::move(table_of)), normalise_(normalise) {
  for (const auto& bag : layout_.bags) {
    column_of_.push_back(width_);
    width_ += bag.dim;
  }
  width_ += layout_.dense;
  std::vector<size_t> widths{width_};
  for (auto h : hidden) widths.push_back(static_cast<size_t>(h));
  if (!hidden.empty() || width_ != dim || layout_.dense > 0) widths.push_back(dim);
  mlp_ = nn::Mlp<T>(std::move(widths));
}

template <class T>
void Tower<T>::forward(ThreadPool& pool, std::span<const nn::EmbeddingTable<T>> tables,
                       const features::EncodedBatch& batch, const Dropout& dropout, Pass& pass) const {
  check(batch.bags.size() == layout_.bags.size(), "a batch of another layout");
  pass.input.resize(batch.size, width_);
  const math::MatrixView<T> x = pass.input;
  for (size_t b = 0; b < batch.bags.size(); ++b) {
    const StepClock::Within gather(pass.clock, StepStage::gather);
    tables[table_of_[b]].forward(pool, batch.bags[b], x.slice_cols(column_of_[b], column_of_[b] + layout_.bags[b].dim));
  }
  for (size_t i = 0; i < batch.size && layout_.dense > 0; ++i)
    for (size_t k = 0; k < layout_.dense; ++k) x[i][width_ - layout_.dense + k] = static_cast<T>(batch.dense[i][k]);
  pass.output.resize(batch.size, mlp_.out());
  mlp_.forward(pool, x, dropout, pass.activations, pass.output);
  if (normalise_) nn::normalise_rows<T>(pool, pass.output, pass.lengths);
}

template <class T>
void Tower<T>::backward(ThreadPool& pool, Pass& pass, math::MatrixView<T> d_output,
                        typename nn::Mlp<T>::Gradients& gradients) const {
  if (normalise_) nn::normalise_rows_backward<T>(pool, pass.output, pass.lengths, d_output);
  pass.d_input.resize(pass.input.rows(), width_);
  mlp_.backward(pool, pass.activations, d_output, gradients, pass.d_input);
}

template <class T>
math::MatrixView<const T> Tower<T>::d_bag(const Pass& pass, size_t b) const {
  return pass.d_input.view().slice_cols(column_of_[b], column_of_[b] + layout_.bags[b].dim);
}

template class Tower<float>;
template class Tower<double>;

}  // namespace pagoda::model
