// A random rotation. It keeps inner products and spreads what lies in few components over all of them, so that every
// component makes use of the 8 bits of its code.
#pragma once

#include <cstdint>

#include "math/matrix.h"

namespace pagoda::index {

// An orthogonal [dim, dim] matrix, uniformly distributed (Gram-Schmidt on normal rows); depends on the seed alone.
math::Matrix<float> random_rotation(size_t dim, uint64_t seed);

}  // namespace pagoda::index
