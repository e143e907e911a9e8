// Attention over a user's history: which of its items count now, by what they are, by the latest of them and by age.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "nn/embedding_table.h"

namespace pagoda::nn {

// One block of self-attention (Vaswani et al. 2017, section 3.2) of which only the output of the latest position is
// made, since one vector a user is wanted: it costs O(n d) for n items where a whole block costs O(n d^2 + n^2 d). Keys
// are folded into queries, so that heads read the items' embeddings e_0 (the latest), e_1, ... as they are:
//
//   q_h = e_0 A_h + c_h                        [d]   A_h [d, d], c_h [1, d]
//   s_hj = <q_h, e_j> / sqrt(d) + b_hj               b [H, L]: a bias for each age
//   a_h = softmax_j s_h
//   y = sum_h (sum_j a_hj e_j) V_h + e_0 U     [d]   V_h, U [d, d]
//
// An empty history gives zeros. It begins near the weighted mean: V_h = I / H, U = 0, b_hj = -recency ln(1 + j), A_h
// small.
template <class T>
class HistoryAttention {
 public:
  HistoryAttention() = default;
  HistoryAttention(size_t dim, size_t heads, size_t longest);  // longest: L, items of the longest history
  void initialise(uint64_t seed, uint64_t substream, double recency);

  // What backward needs of a forward. One per concurrent use; reused between steps.
  struct Pass {
    math::Bag latest;                   // of each example, the latest item
    math::Matrix<T> first, queries;     // e_0 [B, d], q [B, H d]
    math::Matrix<T> pooled;             // sum_j a_hj e_j [B, H d]
    std::vector<T> weights;             // a, per example and head its items: at H offsets[i] + h n
    std::vector<math::Bag> attended;    // per head: the bag with weights a_h, then per head with ds_h / sqrt(d)
    math::Matrix<T> d_pooled, d_first;  // [B, H d], [B, d]
  };
  struct Gradients {
    math::Matrix<T> queries, constants, ages, values, latest;
    math::Matrix<T> d_queries, age_parts, constant_parts;  // scratch of backward, kept from step to step
    double squared_norm() const;
  };

  // Y [B, d] of the bag's lists, the latest item first; its weights are not read. No list is longer than L.
  void forward(ThreadPool& pool, const EmbeddingTable<T>& table, const math::Bag& histories, Pass& pass,
               math::MatrixView<T> out) const;
  // The gradients of the parameters by dY, and of the table as readings, which borrow `pass` and `gradients`.
  std::vector<typename EmbeddingTable<T>::Reading> backward(ThreadPool& pool, const EmbeddingTable<T>& table,
                                                            const math::Bag& histories, Pass& pass,
                                                            math::MatrixView<const T> d_out,
                                                            Gradients& gradients) const;

  size_t heads() const { return heads_; }
  // Calls f(name, parameter, the same of `gradients`...) for each parameter in a fixed order.
  template <class Attention, class F>
  static void for_each_parameter(Attention& attention, const F& f) {
    f("queries", attention.queries_, &Gradients::queries);
    f("constants", attention.constants_, &Gradients::constants);
    f("ages", attention.ages_, &Gradients::ages);
    f("values", attention.values_, &Gradients::values);
    f("latest", attention.latest_, &Gradients::latest);
  }

 private:
  size_t dim_ = 0, heads_ = 0, longest_ = 0;
  math::Matrix<T> queries_;    // A side by side [d, H d]
  math::Matrix<T> constants_;  // c side by side [1, H d]
  math::Matrix<T> ages_;       // b [H, L]
  math::Matrix<T> values_;     // V one below the other [H d, d]
  math::Matrix<T> latest_;     // U [d, d]
};

}  // namespace pagoda::nn
