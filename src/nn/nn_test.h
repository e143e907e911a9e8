// What this room's tests share.
#pragma once

#include "core/rng.h"
#include "math/matrix.h"

namespace pagoda::nn {

template <class T>
math::Matrix<T> random_matrix(size_t rows, size_t cols, uint64_t lane) {
  Rng rng(5, Stream::test, 0, lane);
  math::Matrix<T> m(rows, cols);
  for (auto& v : m) v = static_cast<T>(rng.normal());
  return m;
}

}  // namespace pagoda::nn
