// Multi-head attention over sequences, in which a position reads itself and what came before it.
#pragma once

#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "core/thread_pool.h"
#include "math/matrix.h"

namespace pagoda::nn {

// Sequences one after another, oldest position first. Some of a sequence's positions are asked, each for one output:
// what they read are the positions up to and with their own.
struct Sequences {
  std::vector<uint32_t> begins{0};        // of each sequence its first position; then the end of the last
  std::vector<uint32_t> asked;            // positions, counted from the sequence's first, rising in each sequence
  std::vector<uint32_t> asked_begins{0};  // of each sequence its first in `asked`; then the end

  size_t size() const { return begins.size() - 1; }
  size_t positions() const { return begins.back(); }
  size_t length(size_t s) const { return begins[s + 1] - begins[s]; }
  size_t asked_of(size_t s) const { return asked_begins[s + 1] - asked_begins[s]; }
  void clear() { *this = {}; }
};

// Vaswani et al. 2017, section 3.2, with a bias for each distance in place of encoded positions (Shaw et al. 2018;
// Press et al. 2022). X [n, d] of all positions, Z [m, d] of the asked ones, H heads of width w = d / H:
//
//   Q = Z W_q,  [K, V] = X W_kv
//   a_h(i, j) = softmax over j <= p_i of <Q_hi, K_hj> / sqrt(w) + b_h(p_i - j)      b [H, L], L the longest sequence;
//                                                                              distance a is in column L - 1 - a
//   Y_i = [sum_j a_h(i, j) V_hj, h = 1 .. H] W_o
template <class T>
class CausalAttention {
 public:
  CausalAttention() = default;
  CausalAttention(size_t dim, size_t heads, size_t longest);

  // Of one group of sequences, what backward needs of a forward, and its scratch.
  struct Pass {
    math::Matrix<T> queries, keys_values, mixed;        // Q [m, d], [K, V] [n, 2 d], the heads' sums [m, d]
    std::vector<T> weights;                             // a, per sequence and head its asked x positions
    math::Matrix<T> d_queries, d_keys_values, d_mixed;  // of the same shapes
    math::Matrix<T> d_ages;                             // [H, L]
    std::vector<T> d_scores;
  };
  struct Gradients {
    math::Matrix<T> queries, keys_values, ages, output;
    double squared_norm() const;
  };

  // Y [m, d] of sequences [first, last). x: from the first of their positions on; z: from the first of those asked on.
  void forward(const Sequences& sequences, size_t first, size_t last, math::MatrixView<const T> x,
               math::MatrixView<const T> z, Pass& pass, math::MatrixView<T> y) const;
  // dX and dZ by dY, which they overwrite; leaves in the pass what add_gradients reads.
  void backward(const Sequences& sequences, size_t first, size_t last, math::MatrixView<const T> d_y, Pass& pass,
                math::MatrixView<T> d_x, math::MatrixView<T> d_z) const;
  // Adds the parameters' gradients of one group: those of the same x, z and d_y as of its forward and backward.
  void add_gradients(ThreadPool& pool, math::MatrixView<const T> x, math::MatrixView<const T> z,
                     math::MatrixView<const T> d_y, const Pass& pass, Gradients& gradients) const;
  void clear(Gradients& gradients) const;  // zeros of the parameters' shapes

  // Calls f(name, parameter, the same of Gradients) for each parameter in a fixed order.
  template <class Attention, class F>
  static void for_each_parameter(Attention& attention, const F& f) {
    f("queries", attention.queries_, &Gradients::queries);
    f("keys_values", attention.keys_values_, &Gradients::keys_values);
    f("ages", attention.ages_, &Gradients::ages);
    f("output", attention.output_, &Gradients::output);
  }
  size_t heads() const { return heads_; }
  math::Matrix<T>& queries() { return queries_; }
  math::Matrix<T>& keys_values() { return keys_values_; }
  math::Matrix<T>& ages() { return ages_; }
  math::Matrix<T>& output() { return output_; }

 private:
  size_t dim_ = 0, heads_ = 0, longest_ = 0;
  math::Matrix<T> queries_;      // W_q [d, d]
  math::Matrix<T> keys_values_;  // W_kv [d, 2 d]
  math::Matrix<T> ages_;         // b [H, L]
  math::Matrix<T> output_;       // W_o [d, d]
};

}  // namespace pagoda::nn
