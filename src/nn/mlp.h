// A multilayer perceptron: linear layers with ReLU between them, forward and backward.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/thread_pool.h"
#include "math/matrix.h"
#include "nn/optimizer.h"

namespace pagoda::nn {

// X [B, in] -> H_1 = dropout(relu(X W_1 + b_1)) -> ... -> Y = H_n W + b [B, out]. The last layer is linear (the
// projection). Without layers it is the identity, and in = out.
template <class T>
class Mlp {
 public:
  Mlp() = default;
  // widths: in, hidden ..., out. A single width: the identity.
  explicit Mlp(std::vector<size_t> widths);
  // Normal, of deviation sqrt(2 / in) below a ReLU (He 2015) and sqrt(1 / in) in the last layer; biases zero.
  void initialise(uint64_t seed, uint64_t substream);

  // What backward needs of a forward. One per concurrent use; reused between steps.
  struct Activations {
    std::vector<math::Matrix<T>> inputs;  // of each layer
    std::vector<math::Matrix<T>> masks;   // of each hidden layer: 0, or dropout's scale where the ReLU was open
  };
  struct Gradients {
    std::vector<math::Matrix<T>> weights, biases;
    double squared_norm() const;
    math::Matrix<T> between, below, bias_parts;  // scratch of backward, kept from step to step
  };
  // Dropout of a training step; share 0: none.
  struct Dropout {
    double share = 0;
    uint64_t seed = 0, step = 0, substream = 0;
  };

  // Copies `input` into the activations. Overwrites Y.
  void forward(ThreadPool& pool, math::MatrixView<const T> input, const Dropout& dropout, Activations& activations,
               math::MatrixView<T> output) const;
  // Overwrites dX; d_output is scratch afterwards.
  void backward(ThreadPool& pool, const Activations& activations, math::MatrixView<T> d_output, Gradients& gradients,
                math::MatrixView<T> d_input) const;

  size_t layers() const { return weights_.size(); }
  size_t in() const { return widths_.front(); }
  size_t out() const { return widths_.back(); }
  math::Matrix<T>& weights(size_t layer) { return weights_[layer]; }  // [in, out]
  math::Matrix<T>& biases(size_t layer) { return biases_[layer]; }    // [1, out]
  const math::Matrix<T>& weights(size_t layer) const { return weights_[layer]; }
  const math::Matrix<T>& biases(size_t layer) const { return biases_[layer]; }

 private:
  std::vector<size_t> widths_;
  std::vector<math::Matrix<T>> weights_, biases_;
};

}  // namespace pagoda::nn
