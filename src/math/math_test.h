// What the tests of kernels share.
#pragma once

#include <limits>

#include "core/rng.h"
#include "math/matrix.h"

namespace pagoda::math {

// Numbers in the first `cols` of each row, NaN in what no kernel may use.
inline Matrix<float> noise(size_t rows, size_t cols, size_t stride, uint64_t lane) {
  Rng rng(3, Stream::test, rows, lane);
  Matrix<float> m(rows, stride);
  m.fill(std::numeric_limits<float>::quiet_NaN());
  for (size_t i = 0; i < rows; ++i)
    for (size_t j = 0; j < cols; ++j) m[i][j] = static_cast<float>(rng.normal());
  return m;
}

}  // namespace pagoda::math
