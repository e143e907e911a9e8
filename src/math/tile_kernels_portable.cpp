#include <algorithm>
#include <cstring>

#include "math/bf16.h"
#include "math/tile_kernels.h"

namespace {

// Four floats, the vector that every machine has.
struct Vector {
  using V = float __attribute__((vector_size(16)));
  using Bits = int __attribute__((vector_size(16)));
  static constexpr size_t kLanes = 4;
#if defined(__aarch64__)
  // Of 32 registers: 16 sums, 4 columns and 4 broadcasts; with 24 sums g++ 12 runs out of them.
  static constexpr int kRows = 8, kWide = 4, kWideRows = 4;
#else
  // Of 16 registers: 8 sums, 2 columns, 1 broadcast and 1 product.
  static constexpr int kRows = 4, kWide = 2, kWideRows = 4;
#endif

  static V load(const float* p) {
    V v;
    std::memcpy(&v, p, sizeof v);
    return v;
  }
  static void store(float* p, V v) { std::memcpy(p, &v, sizeof v); }
  static V set(float x) { return V{x, x, x, x}; }
  static V add(V a, V b) { return a + b; }
  static V sub(V a, V b) { return a - b; }
  static V mul(V a, V b) { return a * b; }
  static V fma(V a, V b, V c) { return a * b + c; }
  static unsigned above(V a, V b) {
    const Bits lanes = (a > b) & Bits{1, 2, 4, 8};
    return static_cast<unsigned>(lanes[0] | lanes[1] | lanes[2] | lanes[3]);
  }
  // Adding 1.5 x 2^23 leaves the integer in the low bits.
  static V floor(V x) {
    const V whole = set(12582912.0f), least = set(-200.0f);
    x = x > least ? x : least;
    const V nearest = (x + whole) - whole;
    return nearest > x ? nearest - set(1) : nearest;
  }
  static V fraction(V x) { return x > set(-200.0f) ? x - floor(x) : set(0); }
  static V scale(V p, V x) {
    const Bits exponent = (Bits)(floor(x) + set(12582912.0f)) << 23, held = x >= set(-100.0f);
    return (V)(((Bits)p + exponent) & held);
  }

  using P = uint32_t __attribute__((vector_size(16)));
  static V load_bf16(const uint16_t* p) {
    using pagoda::math::from_bf16;
    return V{from_bf16(p[0]), from_bf16(p[1]), from_bf16(p[2]), from_bf16(p[3])};
  }
  static P load_pairs(const uint32_t* p) {
    P x;
    std::memcpy(&x, p, sizeof x);
    return x;
  }
  static void store_pairs(uint32_t* p, P x) { std::memcpy(p, &x, sizeof x); }
  static P set_pair(uint32_t x) { return P{x, x, x, x}; }
  static V dot(P a, P b, V c) {
    return fma((V)(a << 16), (V)(b << 16), fma((V)(a & 0xffff0000), (V)(b & 0xffff0000), c));
  }
  static P to_bf16(V v0, V v1) {
    using pagoda::math::pair_bf16;
    return P{pair_bf16(v0[0], v0[1]), pair_bf16(v0[2], v0[3]), pair_bf16(v1[0], v1[1]), pair_bf16(v1[2], v1[3])};
  }
  static void interleave(P x, P y, P& low, P& high) {
    for (int k = 0; k < 4; ++k) {
      P& to = k < 2 ? low : high;
      to[2 * k % 4] = (x[k] & 0xffff) | y[k] << 16;
      to[2 * k % 4 + 1] = x[k] >> 16 | (y[k] & 0xffff0000);
    }
  }
};

}  // namespace

#include "math/tile_kernels_body.h"

const pagoda::math::TileKernels* pagoda::math::portable_tile_kernels() { return &kKernels; }
