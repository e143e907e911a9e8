// A random rotation of the space: inner products stay, and what was in few components is spread over all of them, so that
// each takes its share of the 8 bits of a code.
#pragma once

#include <cstdint>

#include "math/matrix.h"

namespace pagoda::index {

// An orthogonal [dim, dim] matrix, uniform over all of them (the Gram-Schmidt process on normal rows), of the seed alone.
math::Matrix<float> random_rotation(size_t dim, uint64_t seed);

}  // namespace pagoda::index
