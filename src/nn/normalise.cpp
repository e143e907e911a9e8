#include "nn/normalise.h"

#include <cmath>

#include "math/kernels.h"

namespace pagoda::nn {

namespace {
constexpr double kShortest = 1e-12;
}

template <class T>
void normalise_rows(ThreadPool& pool, math::MatrixView<T> x, std::vector<T>& lengths) {
  lengths.resize(x.rows());
  pool.for_chunks(x.rows(), 256, [&](size_t begin, size_t end) {
    for (size_t i = begin; i < end; ++i) {
      lengths[i] = std::sqrt(math::dot(x[i], x[i], x.cols()));
      math::scale(lengths[i] > static_cast<T>(kShortest) ? 1 / lengths[i] : T{0}, x[i], x.cols());
    }
  });
}

template <class T>
void normalise_rows_backward(ThreadPool& pool, math::MatrixView<const T> y, const std::vector<T>& lengths,
                             math::MatrixView<T> dy) {
  pool.for_chunks(y.rows(), 256, [&](size_t begin, size_t end) {
    for (size_t i = begin; i < end; ++i) {
      math::axpy(-math::dot(y[i], dy[i], y.cols()), y[i], dy[i], y.cols());
      math::scale(lengths[i] > static_cast<T>(kShortest) ? 1 / lengths[i] : T{0}, dy[i], y.cols());
    }
  });
}

template void normalise_rows(ThreadPool&, math::MatrixView<float>, std::vector<float>&);
template void normalise_rows(ThreadPool&, math::MatrixView<double>, std::vector<double>&);
template void normalise_rows_backward(ThreadPool&, math::MatrixView<const float>, const std::vector<float>&,
                                      math::MatrixView<float>);
template void normalise_rows_backward(ThreadPool&, math::MatrixView<const double>, const std::vector<double>&,
                                      math::MatrixView<double>);

}  // namespace pagoda::nn
