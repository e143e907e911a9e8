// One tower: embeddings and numbers -> layers -> one vector -> unit length.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "features/encoded.h"
#include "features/options.h"
#include "model/options.h"
#include "model/step_clock.h"
#include "nn/embedding_table.h"
#include "nn/history_attention.h"
#include "nn/history_transformer.h"
#include "nn/mlp.h"

namespace pagoda::model {

// Reads EncodedBatches of its layout; the tables are the model's, since two towers may share one. Immutable during a
// forward or backward; several threads may run forward at once, each with its own Pass.
//
//   X [B, width]  the bags' embeddings side by side, then the plain numbers; that of a history is the weighted mean of
//                 its items', or what an attention or a transformer reads in them
//   Y [B, dim]    Combine::concat: MLP(X), its last layer linear. Without hidden layers and plain numbers and with
//                 width = dim there is no projection either: the embedding itself is the vector (matrix factorisation).
//                 Combine::sum: E_1 + ... + MLP(F), E the bags of ids and of the history, F the rest of X, which may be
//                 empty: then the MLP is one bias (He et al. 2016, "Identity Mappings", eq. 1: what is added passes its
//                 gradient on untouched). The last layer begins at zero, so ids lead and features refine them.
template <class T>
class Tower {
 public:
  Tower() = default;
  // table_of[b]: which of the model's tables bag b reads. history: how that of the layout is encoded, if there is one.
  Tower(features::TowerLayout layout, std::vector<size_t> table_of, std::span<const int64_t> hidden, size_t dim,
        const ModelOptions& model, const features::HistoryOptions& history = {});
  void initialise(uint64_t seed, uint64_t lane);

  struct Pass {
    math::Matrix<T> input, output;  // X, Y
    typename nn::Mlp<T>::Activations activations;
    typename nn::HistoryAttention<T>::Pass attention;
    typename nn::HistoryTransformer<T>::Pass transformer;
    std::vector<T> lengths;
    math::Matrix<T> d_input;
    StepClock* clock = nullptr;  // where there is one, it is told what is gathered
  };
  using Dropout = typename nn::Mlp<T>::Dropout;
  using Tables = std::span<const nn::EmbeddingTable<T>>;
  struct Gradients {
    typename nn::Mlp<T>::Gradients layers;
    typename nn::HistoryAttention<T>::Gradients attention;
    typename nn::HistoryTransformer<T>::Gradients transformer;
    double squared_norm() const {
      return layers.squared_norm() + attention.squared_norm() + transformer.squared_norm();
    }
  };

  void forward(ThreadPool& pool, Tables tables, const features::EncodedBatch& batch, const Dropout& dropout,
               Pass& pass) const;
  // The gradients of the weights; leaves dX in pass.d_input; d_output is scratch afterwards.
  void backward(ThreadPool& pool, Pass& pass, math::MatrixView<T> d_output, Gradients& gradients) const;
  // After backward(): how bag b read its table, and what of dY it brings; for a history that is learnt, its gradients,
  // too. The readings borrow the batch and the pass.
  std::vector<typename nn::EmbeddingTable<T>::Reading> backward_bag(ThreadPool& pool, Tables tables,
                                                                    const features::EncodedBatch& batch, size_t b,
                                                                    Pass& pass, Gradients& gradients) const;

  const features::TowerLayout& layout() const { return layout_; }
  size_t table_of(size_t bag) const { return table_of_[bag]; }
  nn::Mlp<T>& mlp() { return mlp_; }
  const nn::Mlp<T>& mlp() const { return mlp_; }
  // How the history is read; nullptr: not by this.
  nn::HistoryAttention<T>* attention() { return attention_ ? &*attention_ : nullptr; }
  const nn::HistoryAttention<T>* attention() const { return attention_ ? &*attention_ : nullptr; }
  nn::HistoryTransformer<T>* transformer() { return transformer_ ? &*transformer_ : nullptr; }
  const nn::HistoryTransformer<T>* transformer() const { return transformer_ ? &*transformer_ : nullptr; }
  size_t width() const { return width_; }

 private:
  features::TowerLayout layout_;
  std::vector<size_t> table_of_, column_of_;  // per bag: its table, its first column of X
  std::vector<size_t> added_;                 // the bags that are added to the MLP's output
  size_t width_ = 0, read_from_ = 0;          // of X; the MLP reads its columns from read_from_ on
  bool sum_ = false, normalise_ = true;
  nn::Mlp<T> mlp_;
  static constexpr size_t kNone = SIZE_MAX;
  size_t learnt_ = kNone;  // the bag of the history, if it is read by one of these
  double recency_ = 0;
  std::optional<nn::HistoryAttention<T>> attention_;
  std::optional<nn::HistoryTransformer<T>> transformer_;
};

}  // namespace pagoda::model
