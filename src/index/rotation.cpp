#include "index/rotation.h"

#include <cmath>

#include "core/rng.h"
#include "math/kernels.h"

namespace pagoda::index {

math::Matrix<float> random_rotation(size_t dim, uint64_t seed) {
  Rng rng(seed, Stream::index);
  math::Matrix<double> rows(dim, dim);
  math::Matrix<float> rotation(dim, dim);
  for (size_t i = 0; i < dim; ++i) {
    double length = 0;
    do {
      for (auto& x : rows.row(i)) x = rng.normal();
      for (int twice = 0; twice < 2; ++twice)  // the second pass removes what rounding left of the earlier rows
        for (size_t j = 0; j < i; ++j) math::axpy(-math::dot(rows[i], rows[j], dim), rows[j], rows[i], dim);
      length = std::sqrt(math::dot(rows[i], rows[i], dim));
    } while (length < 1e-6);  // the last rows may lie almost within the span of the others
    math::scale(1 / length, rows[i], dim);
    for (size_t d = 0; d < dim; ++d) rotation[i][d] = static_cast<float>(rows[i][d]);
  }
  return rotation;
}

}  // namespace pagoda::index
