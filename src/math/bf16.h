// bf16: the upper half of a float, with 8 bits of precision. Values are stored in pairs of 32 bits, the first in the
// lower half, which is the layout that dot-product instructions take.
#pragma once

#include <bit>
#include <cstdint>

namespace pagoda::math {

// Rounds to the nearest, ties to even. Infinity stays so; NaN is not expected.
inline uint16_t to_bf16(float x) {
  const auto bits = std::bit_cast<uint32_t>(x);
  return static_cast<uint16_t>((bits + 0x7fff + ((bits >> 16) & 1)) >> 16);
}

inline float from_bf16(uint16_t x) { return std::bit_cast<float>(uint32_t{x} << 16); }

inline uint32_t pair_bf16(float first, float second) { return to_bf16(first) | uint32_t{to_bf16(second)} << 16; }

}  // namespace pagoda::math
