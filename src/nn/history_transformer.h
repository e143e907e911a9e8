// A user's history read in its order: blocks of causal self-attention, then one vector for the latest item.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "nn/causal_attention.h"
#include "nn/embedding_table.h"
#include "nn/mlp.h"

namespace pagoda::nn {

// The items' embeddings X_0 [n, d], oldest first, go through N blocks and are read at the latest item (as SASRec, Kang
// and McAuley 2018, does; normalised before each part: Xiong et al. 2020):
//
//   X' = X + attention(norm(X)),  X'' = X' + relu(norm(X') W_1 + b_1) W_2 + b_2,  norm(x) = g x / rms(x)
//   y = attention(X_N, asked at the latest position) + x_latest U
//
// (nn/causal_attention.h has the attention; RMSNorm: Zhang and Sennrich 2019, eq. 4; W_1 [d, 2 d].) An empty history
// gives zeros. It begins near the weighted mean of the items: W_o, W_2 of the blocks and U are zero; of the reading
// attention values and W_o are the identity, queries small, and b_h(a) = -recency ln(1 + a).
//
// A position reads nothing after it, so one pass over a sequence gives the vector at each of its positions. Where
// histories are `successive`, a row whose history begins with the whole history of the row before it shares its pass.
template <class T>
class HistoryTransformer {
 public:
  struct Shape {
    size_t dim = 0, blocks = 1, heads = 1, longest = 0;  // longest: items of the longest history
  };
  HistoryTransformer() = default;
  explicit HistoryTransformer(const Shape& shape);
  void initialise(uint64_t seed, uint64_t substream, double recency);

  using Dropout = typename Mlp<T>::Dropout;  // of the embeddings and of what a block adds

  // Of one group of sequences, what backward needs of a forward.
  struct BlockPass {
    math::Matrix<T> normed, between, normed_between, inner;  // norm(X), X', norm(X'), relu(...) [n, 2 d]
    std::vector<T> inverse_rms, inverse_rms_between;
    typename CausalAttention<T>::Pass attention;
    math::Matrix<T> d_attended, d_inner, d_added;  // of the attention's output, of relu's input, of what W_2 adds
    math::Matrix<T> d_gain, d_gain_between, d_inner_bias, d_outer_bias;
  };
  struct GroupPass {
    std::vector<math::Matrix<T>> x;  // X_0 .. X_N
    std::vector<BlockPass> blocks;
    math::Matrix<T> latest;  // X_N at the asked positions
    typename CausalAttention<T>::Pass reading;
    math::Matrix<T> d_x, d_between, d_normed, d_asked;
  };
  // One per concurrent use; reused between steps.
  struct Pass {
    bool for_backward = true;        // false: nothing is kept, and a history's vector has the same bits in any batch
    Sequences every, asked;          // asked: where histories end; every: all positions
    std::vector<uint32_t> place_of;  // per example its place among those asked; kNone: an empty history
    std::vector<size_t> group_ends;  // of each group of sequences the end
    std::vector<GroupPass> groups;   // with for_backward
    math::Matrix<T> answers, d_answers;  // y and dY of those asked
    math::Bag items;                     // of each position its item
    math::Matrix<T> d_x;                 // of X_0 [positions, d]
    Dropout dropout;
  };
  struct BlockGradients {
    typename CausalAttention<T>::Gradients attention;
    math::Matrix<T> gain, gain_between, inner, inner_bias, outer, outer_bias;
  };
  struct Gradients {
    std::vector<BlockGradients> blocks;
    typename CausalAttention<T>::Gradients reading;
    math::Matrix<T> latest;
    double squared_norm() const;
  };

  // Y [B, d] of the bag's lists, the latest item first; its weights are not read. No list is longer than `longest`.
  void forward(ThreadPool& pool, const EmbeddingTable<T>& table, const math::Bag& histories, bool successive,
               const Dropout& dropout, Pass& pass, math::MatrixView<T> out) const;
  // The gradients of the parameters by dY, and of the table as a reading, which borrows `pass`.
  typename EmbeddingTable<T>::Reading backward(ThreadPool& pool, Pass& pass, math::MatrixView<const T> d_out,
                                               Gradients& gradients) const;

  // Calls f(name, parameter, gradient_of) for each parameter in a fixed order; gradient_of(const Gradients&) is its
  // gradient.
  template <class Transformer, class F>
  static void for_each_parameter(Transformer& transformer, const F& f) {
    for (size_t b = 0; b < transformer.blocks_.size(); ++b) {
      auto& block = transformer.blocks_[b];
      const auto name = "block" + std::to_string(b + 1) + ".";
      CausalAttention<T>::for_each_parameter(block.attention, [&](const char* part, auto& matrix, auto of) {
        f(name + part, matrix,
          [b, of](const Gradients& g) -> const math::Matrix<T>& { return g.blocks[b].attention.*of; });
      });
      const auto own = [&](const char* part, auto& matrix, math::Matrix<T> BlockGradients::* of) {
        f(name + part, matrix, [b, of](const Gradients& g) -> const math::Matrix<T>& { return g.blocks[b].*of; });
      };
      own("gain", block.gain, &BlockGradients::gain);
      own("gain_between", block.gain_between, &BlockGradients::gain_between);
      own("inner", block.inner, &BlockGradients::inner);
      own("inner_bias", block.inner_bias, &BlockGradients::inner_bias);
      own("outer", block.outer, &BlockGradients::outer);
      own("outer_bias", block.outer_bias, &BlockGradients::outer_bias);
    }
    CausalAttention<T>::for_each_parameter(transformer.reading_, [&](const char* part, auto& matrix, auto of) {
      f(std::string(part), matrix, [of](const Gradients& g) -> const math::Matrix<T>& { return g.reading.*of; });
    });
    f(std::string("latest"), transformer.latest_,
      [](const Gradients& g) -> const math::Matrix<T>& { return g.latest; });
  }

 private:
  struct Block {
    CausalAttention<T> attention;
    math::Matrix<T> gain, gain_between;  // g of both norms [1, d]
    math::Matrix<T> inner, inner_bias;   // W_1 [d, 2 d], b_1
    math::Matrix<T> outer, outer_bias;   // W_2 [2 d, d], b_2
  };
  static constexpr uint32_t kNone = UINT32_MAX;
  void lay_out(const math::Bag& histories, bool successive, Pass& pass) const;
  // Of the sequences [first, last).
  void forward_group(const EmbeddingTable<T>& table, size_t first, size_t last, Pass& pass, GroupPass& group) const;
  void backward_group(size_t first, size_t last, Pass& pass, GroupPass& group) const;
  void add_gradients(ThreadPool& pool, const GroupPass& group, math::MatrixView<const T> d_answers,
                     Gradients& gradients) const;
  void clear(Gradients& gradients) const;

  Shape shape_;
  std::vector<Block> blocks_;
  CausalAttention<T> reading_;
  math::Matrix<T> latest_;  // U [d, d]
};

}  // namespace pagoda::nn
