// The inverse of a symmetric positive definite matrix too large for one thread.
#pragma once

#include "core/thread_pool.h"
#include "math/matrix.h"

namespace pagoda::math {

// Replaces `a`, [n, n], of which the upper triangle is read, by its inverse, both triangles. Blocks of pivots are swept
// one after another (Goodnight 1979, "A Tutorial on the SWEEP Operator"): about n^3 additions and multiplications, and
// no second matrix. The same bits on any number of threads. Error{failed}: it is not positive definite, as far as
// floats can tell.
void invert_positive_definite(ThreadPool& pool, MatrixView<float> a);

}  // namespace pagoda::math
