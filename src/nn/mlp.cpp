#include "nn/mlp.h"

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "core/rng.h"
#include "math/gemm.h"
#include "math/kernels.h"

namespace pagoda::nn {

namespace {

constexpr size_t kRowChunk = 64, kSumChunk = 512;

// y = max(y + bias, 0), and where it is above 0 the mask is 1.
template <class T>
void rectify(const T* __restrict bias, size_t n, T* __restrict y, T* __restrict mask) {
  for (size_t k = 0; k < n; ++k) {
    const T x = y[k] + bias[k];
    mask[k] = x > 0 ? T{1} : T{0};
    y[k] = x > 0 ? x : T{0};
  }
}

// sum[0] = the sum of the rows of d, in parts of kSumChunk rows that are added up in order.
template <class T>
void sum_rows(ThreadPool& pool, math::MatrixView<const T> d, math::Matrix<T>& parts, math::MatrixView<T> sum) {
  parts.resize((d.rows() + kSumChunk - 1) / kSumChunk, d.cols());
  pool.for_chunks(d.rows(), kSumChunk, [&](size_t begin, size_t end) {
    T* part = parts[begin / kSumChunk];
    std::fill_n(part, d.cols(), T{0});
    for (size_t i = begin; i < end; ++i) math::axpy(T{1}, d[i], part, d.cols());
  });
  std::fill_n(sum[0], d.cols(), T{0});
  for (size_t p = 0; p < parts.rows(); ++p) math::axpy(T{1}, parts[p], sum[0], d.cols());
}

}  // namespace

template <class T>
Mlp<T>::Mlp(std::vector<size_t> widths) : widths_(std::move(widths)) {
  check(!widths_.empty(), "an MLP has a width");
  for (size_t l = 0; l + 1 < widths_.size(); ++l) {
    weights_.emplace_back(widths_[l], widths_[l + 1]);
    biases_.emplace_back(1, widths_[l + 1]);
  }
}

template <class T>
void Mlp<T>::initialise(uint64_t seed, uint64_t substream) {
  for (size_t l = 0; l < layers(); ++l) {
    const double deviation = std::sqrt((l + 1 < layers() ? 2.0 : 1.0) / static_cast<double>(widths_[l]));
    Rng rng(seed, Stream::initialise, l, substream);
    for (auto& w : weights_[l]) w = static_cast<T>(deviation * rng.normal());
    biases_[l].fill(0);
  }
}

template <class T>
void Mlp<T>::forward(ThreadPool& pool, math::MatrixView<const T> input, const Dropout& dropout, Activations& a,
                     math::MatrixView<T> output) const {
  const size_t n = input.rows();
  check(input.cols() == in() && output.cols() == out() && output.rows() == n, "shapes of an MLP's input and output");
  a.inputs.resize(layers());
  a.masks.resize(layers() > 0 ? layers() - 1 : 0);
  if (layers() == 0) {
    for (size_t i = 0; i < n; ++i) std::copy_n(input[i], in(), output[i]);
    return;
  }
  a.inputs[0].resize(n, in());
  pool.for_chunks(n, kRowChunk, [&](size_t begin, size_t end) {
    for (size_t i = begin; i < end; ++i) std::copy_n(input[i], in(), a.inputs[0][i]);
  });
  for (size_t l = 0; l < layers(); ++l) {
    const bool last = l + 1 == layers();
    const size_t width = widths_[l + 1];
    if (!last) {
      a.inputs[l + 1].resize(n, width);
      a.masks[l].resize(n, width);
    }
    math::MatrixView<T> y = last ? output : a.inputs[l + 1].view();
    math::gemm<T>(pool, math::Op::none, math::Op::none, T{1}, a.inputs[l], weights_[l], T{0}, y);
    const T kept = static_cast<T>(1 / (1 - dropout.share));
    pool.for_chunks(n, kRowChunk, [&](size_t begin, size_t end) {
      for (size_t i = begin; i < end; ++i) {
        if (last)
          math::axpy(T{1}, biases_[l].data(), y[i], width);
        else
          rectify(biases_[l].data(), width, y[i], a.masks[l][i]);
        if (last || dropout.share == 0) continue;
        T* mask = a.masks[l][i];
        Rng rng(dropout.seed, Stream::dropout, dropout.step, (dropout.substream * 64 + l) << 32 | i);
        for (size_t k = 0; k < width; ++k) mask[k] = rng.uniform() < dropout.share ? T{0} : mask[k] * kept;
        for (size_t k = 0; k < width; ++k) y[i][k] *= mask[k];
      }
    });
  }
}

template <class T>
void Mlp<T>::backward(ThreadPool& pool, const Activations& a, math::MatrixView<T> d_output, Gradients& g,
                      math::MatrixView<T> d_input) const {
  const size_t n = d_output.rows();
  g.weights.resize(layers());
  g.biases.resize(layers());
  if (layers() == 0) {
    for (size_t i = 0; i < n; ++i) std::copy_n(d_output[i], in(), d_input[i]);
    return;
  }
  auto &dx = g.below, &dy = g.between;
  math::MatrixView<T> d = d_output;
  for (size_t l = layers(); l-- > 0;) {
    const size_t width = widths_[l + 1];
    g.weights[l].resize(widths_[l], width);
    g.biases[l].resize(1, width);
    sum_rows<T>(pool, d, g.bias_parts, g.biases[l]);
    math::gemm<T>(pool, math::Op::transpose, math::Op::none, T{1}, a.inputs[l], d, T{0}, g.weights[l]);
    if (l > 0) dx.resize(n, widths_[l]);
    math::MatrixView<T> below = l == 0 ? d_input : dx.view();
    math::gemm<T>(pool, math::Op::none, math::Op::transpose, T{1}, d, weights_[l], T{0}, below);
    if (l == 0) break;
    pool.for_chunks(n, kRowChunk, [&](size_t begin, size_t end) {
      for (size_t i = begin; i < end; ++i)
        for (size_t k = 0; k < widths_[l]; ++k) dx[i][k] *= a.masks[l - 1][i][k];
    });
    dy.swap(dx);
    d = dy;
  }
}

template <class T>
double Mlp<T>::Gradients::squared_norm() const {
  double sum = 0;
  for (const auto* list : {&weights, &biases})
    for (const auto& m : *list)
      for (const T v : m) sum += static_cast<double>(v) * static_cast<double>(v);
  return sum;
}

template class Mlp<float>;
template class Mlp<double>;

}  // namespace pagoda::nn
