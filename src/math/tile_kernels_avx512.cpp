#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
#include <immintrin.h>

#include <algorithm>

#include "math/tile_kernels.h"

#pragma GCC push_options
#pragma GCC target("arch=x86-64-v4,prefer-vector-width=512")

namespace {

struct Vector {
  using V = __m512;
  static constexpr size_t kLanes = 16;
  static constexpr int kRows = 12;  // 24 sums, 2 columns, 1 broadcast of 32 registers;

  static V load(const float* p) { return _mm512_loadu_ps(p); }
  static void store(float* p, V v) { _mm512_storeu_ps(p, v); }
  static V set(float x) { return _mm512_set1_ps(x); }
  static V add(V a, V b) { return _mm512_add_ps(a, b); }
  static V sub(V a, V b) { return _mm512_sub_ps(a, b); }
  static V mul(V a, V b) { return _mm512_mul_ps(a, b); }
  static V fma(V a, V b, V c) { return _mm512_fmadd_ps(a, b, c); }
  static V round(V x) { return _mm512_maskz_roundscale_ps(0xffff, x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }
  static V scale(V p, V n, V x) {
    return _mm512_maskz_scalef_ps(_mm512_cmp_ps_mask(x, set(-100.0f), _CMP_GE_OQ), p, n);
  }
};

}  // namespace

#include "math/tile_kernels_body.h"

#pragma GCC pop_options

const pagoda::TileKernels* pagoda::avx512_tile_kernels() { return &kKernels; }
#else
#include "math/tile_kernels.h"
const pagoda::TileKernels* pagoda::avx512_tile_kernels() { return nullptr; }
#endif
