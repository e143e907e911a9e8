#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
#include <immintrin.h>

#include <algorithm>

#include "math/tile_kernels.h"

#pragma GCC push_options
#pragma GCC target("arch=x86-64-v3")

namespace {

struct Vector {
  using V = __m256;
  static constexpr size_t kLanes = 8;
  static constexpr int kRows = 6;  // 12 sums, 2 columns, 1 broadcast of 16 registers;

  static V load(const float* p) { return _mm256_loadu_ps(p); }
  static void store(float* p, V v) { _mm256_storeu_ps(p, v); }
  static V set(float x) { return _mm256_set1_ps(x); }
  static V add(V a, V b) { return _mm256_add_ps(a, b); }
  static V sub(V a, V b) { return _mm256_sub_ps(a, b); }
  static V mul(V a, V b) { return _mm256_mul_ps(a, b); }
  static V fma(V a, V b, V c) { return _mm256_fmadd_ps(a, b, c); }
  static V round(V x) { return _mm256_round_ps(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }
  static V scale(V p, V n, V x) {
    const __m256i exponent = _mm256_slli_epi32(_mm256_add_epi32(_mm256_cvtps_epi32(n), _mm256_set1_epi32(127)), 23);
    return _mm256_and_ps(mul(p, _mm256_castsi256_ps(exponent)), _mm256_cmp_ps(x, set(-100.0f), _CMP_GE_OQ));
  }
};

}  // namespace

#include "math/tile_kernels_body.h"

#pragma GCC pop_options

const pagoda::TileKernels* pagoda::avx2_tile_kernels() { return &kKernels; }
#else
#include "math/tile_kernels.h"
const pagoda::TileKernels* pagoda::avx2_tile_kernels() { return nullptr; }
#endif
