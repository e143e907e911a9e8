#include "model/tower.h"

#include <algorithm>

#include "core/error.h"
#include "math/kernels.h"
#include "nn/normalise.h"

namespace pagoda::model {

namespace {
constexpr size_t kRowChunk = 256;
constexpr uint64_t kHistorySubstream = 500;  // of random numbers, from that of the tower on
}  // namespace

template <class T>
Tower<T>::Tower(features::TowerLayout layout, std::vector<size_t> table_of, std::span<const int64_t> hidden, size_t dim,
                const ModelOptions& model, const features::HistoryOptions& history)
    : layout_(std::move(layout)), table_of_(std::move(table_of)), sum_(model.combine == Combine::sum),
      normalise_(model.normalise) {
  const auto& bags = layout_.bags;
  column_of_.resize(bags.size());
  const auto is_added = [&](size_t b) { return sum_ && bags[b].of_ids && bags[b].dim == dim; };
  for (const bool added : {true, false})
    for (size_t b = 0; b < bags.size(); ++b) {
      if (is_added(b) != added) continue;
      if (added) added_.push_back(b);
      column_of_[b] = width_;
      width_ += bags[b].dim;
    }
  read_from_ = added_.size() * dim;
  width_ += layout_.dense;
  std::vector<size_t> widths{width_ - read_from_};
  if (widths[0] > 0)
    for (auto h : hidden) widths.push_back(static_cast<size_t>(h));
  if (sum_ || !hidden.empty() || width_ != dim || layout_.dense > 0) widths.push_back(dim);
  mlp_ = nn::Mlp<T>(std::move(widths));
  if (!features::is_learnt(history.encoder)) return;
  for (size_t b = 0; b < bags.size(); ++b)
    if (bags[b].reads == features::BagReads::history) learnt_ = b;
  if (learnt_ == kNone) return;
  recency_ = history.recency;
  const auto heads = static_cast<size_t>(history.heads), longest = static_cast<size_t>(history.last);
  if (history.encoder == features::HistoryEncoder::attention)
    attention_.emplace(bags[learnt_].dim, heads, longest);
  else
    transformer_.emplace(typename nn::HistoryTransformer<T>::Shape{
        .dim = bags[learnt_].dim, .blocks = static_cast<size_t>(history.blocks), .heads = heads, .longest = longest});
}

template <class T>
void Tower<T>::initialise(uint64_t seed, uint64_t lane) {
  mlp_.initialise(seed, lane);
  if (!added_.empty()) mlp_.weights(mlp_.layers() - 1).fill(0);
  if (attention_) attention_->initialise(seed, lane + kHistorySubstream, recency_);
  if (transformer_) transformer_->initialise(seed, lane + kHistorySubstream, recency_);
}

template <class T>
void Tower<T>::forward(ThreadPool& pool, Tables tables, const features::EncodedBatch& batch, const Dropout& dropout,
                       Pass& pass) const {
  check(batch.bags.size() == layout_.bags.size(), "a batch of another layout");
  pass.input.resize(batch.size, width_);
  const math::MatrixView<T> x = pass.input;
  for (size_t b = 0; b < batch.bags.size(); ++b) {
    const StepClock::Within gather(pass.clock, StepStage::gather);
    const auto& table = tables[table_of_[b]];
    const auto out = x.slice_cols(column_of_[b], column_of_[b] + layout_.bags[b].dim);
    if (b == learnt_ && attention_)
      attention_->forward(pool, table, batch.bags[b], pass.attention, out);
    else if (b == learnt_)
      transformer_->forward(pool, table, batch.bags[b], batch.successive, dropout, pass.transformer, out);
    else
      table.forward(pool, batch.bags[b], out);
  }
  if (layout_.dense > 0)
    pool.for_chunks(batch.size, kRowChunk, [&](size_t begin, size_t end) {
      for (size_t i = begin; i < end; ++i) std::copy_n(batch.dense[i], layout_.dense, x[i] + width_ - layout_.dense);
    });
  pass.output.resize(batch.size, mlp_.out());
  mlp_.forward(pool, x.slice_cols(read_from_, width_), dropout, pass.activations, pass.output);
  if (!added_.empty())
    pool.for_chunks(batch.size, kRowChunk, [&](size_t begin, size_t end) {
      for (size_t i = begin; i < end; ++i)
        for (const size_t b : added_) math::axpy(T{1}, x[i] + column_of_[b], pass.output[i], mlp_.out());
    });
  if (normalise_) nn::normalise_rows<T>(pool, pass.output, pass.lengths);
}

template <class T>
void Tower<T>::backward(ThreadPool& pool, Pass& pass, math::MatrixView<T> d_output, Gradients& gradients) const {
  if (normalise_) nn::normalise_rows_backward<T>(pool, pass.output, pass.lengths, d_output);
  pass.d_input.resize(pass.input.rows(), width_);
  if (!added_.empty())
    pool.for_chunks(d_output.rows(), kRowChunk, [&](size_t begin, size_t end) {
      for (size_t i = begin; i < end; ++i)
        for (const size_t b : added_) std::copy_n(d_output[i], mlp_.out(), pass.d_input[i] + column_of_[b]);
    });
  mlp_.backward(pool, pass.activations, d_output, gradients.layers, pass.d_input.view().slice_cols(read_from_, width_));
}

template <class T>
std::vector<typename nn::EmbeddingTable<T>::Reading> Tower<T>::backward_bag(ThreadPool& pool, Tables tables,
                                                                            const features::EncodedBatch& batch,
                                                                            size_t b, Pass& pass,
                                                                            Gradients& gradients) const {
  const math::MatrixView<const T> d_bag =
      pass.d_input.view().slice_cols(column_of_[b], column_of_[b] + layout_.bags[b].dim);
  if (b != learnt_) return {{&batch.bags[b], d_bag}};
  if (transformer_) return {transformer_->backward(pool, pass.transformer, d_bag, gradients.transformer)};
  return attention_->backward(pool, tables[table_of_[b]], batch.bags[b], pass.attention, d_bag, gradients.attention);
}

template class Tower<float>;
template class Tower<double>;

}  // namespace pagoda::model
