#include <algorithm>
#include <cstring>

#include "math/tile_kernels.h"

namespace {

// Four floats, the vector that every machine has.
struct Vector {
  using V = float __attribute__((vector_size(16)));
  using Bits = int __attribute__((vector_size(16)));
  static constexpr size_t kLanes = 4;
  static constexpr int kRows = 4;  // 8 sums, 2 columns, 1 broadcast, 1 product of 16 registers

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
  // Adding 1.5 x 2^23 leaves the integer in the low bits.
  static V round(V x) {
    const V whole = set(12582912.0f), least = set(-200.0f);
    x = x > least ? x : least;
    return (x + whole) - whole;
  }
  static V scale(V p, V n, V x) {
    const Bits exponent = (Bits)(n + set(12582912.0f)) << 23, held = x >= set(-100.0f);
    return (V)(((Bits)p + exponent) & held);
  }
};

}  // namespace

#include "math/tile_kernels_body.h"

const pagoda::TileKernels* pagoda::portable_tile_kernels() { return &kKernels; }
