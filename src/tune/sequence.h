// Points that fill a cube evenly, however many are taken: Sobol's sequence, with the direction numbers of Joe and Kuo,
// "Constructing Sobol sequences with better two-dimensional projections", SIAM J. Sci. Comput. 30 (2008).
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace pagoda::tune {

inline constexpr size_t kMostDimensions = 21;

// Point `n` of [0, 1)^dimensions, shifted by the seed (digit by digit, which keeps it even): of 2^m points from a
// multiple of 2^m on, each of the 2^m slices of a dimension holds one. n < 2^32.
std::vector<double> sequence_point(uint64_t seed, uint64_t n, size_t dimensions);

// A number in [0, 1) that depends on its arguments alone: draw `i` of trial `n`.
double draw(uint64_t seed, uint64_t n, uint64_t i);

}  // namespace pagoda::tune
