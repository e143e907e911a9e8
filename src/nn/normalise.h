// Scales rows to unit length.
#pragma once

#include <vector>

#include "core/thread_pool.h"
#include "math/matrix.h"

namespace pagoda::nn {

// Y[i] = X[i] / |X[i]|, in place; lengths[i] = |X[i]|. A row shorter than 1e-12 becomes zero (it has no direction).
template <class T>
void normalise_rows(ThreadPool& pool, math::MatrixView<T> x, std::vector<T>& lengths);

// dX[i] = (dY[i] - Y[i] <Y[i], dY[i]>) / lengths[i], in place of dY; zero where the row had no direction.
template <class T>
void normalise_rows_backward(ThreadPool& pool, math::MatrixView<const T> y, const std::vector<T>& lengths,
                             math::MatrixView<T> dy);

}  // namespace pagoda::nn
