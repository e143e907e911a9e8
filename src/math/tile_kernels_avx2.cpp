#include <algorithm>

#include "math/bf16.h"
#include "math/simd_dispatch.h"
#include "math/tile_kernels.h"

#if PAGODA_X86
PAGODA_BEGIN_AVX2

namespace {

struct Vector {
  using V = __m256;
  static constexpr size_t kLanes = 8;
  static constexpr int kRows = 6, kWide = 2, kWideRows = 6;  // 12 sums, 2 columns, 1 broadcast of 16 registers

  static V load(const float* p) { return _mm256_loadu_ps(p); }
  static void store(float* p, V v) { _mm256_storeu_ps(p, v); }
  static V set(float x) { return _mm256_set1_ps(x); }
  static V add(V a, V b) { return _mm256_add_ps(a, b); }
  static V sub(V a, V b) { return _mm256_sub_ps(a, b); }
  static V mul(V a, V b) { return _mm256_mul_ps(a, b); }
  static V fma(V a, V b, V c) { return _mm256_fmadd_ps(a, b, c); }
  static unsigned above(V a, V b) { return static_cast<unsigned>(_mm256_movemask_ps(_mm256_cmp_ps(a, b, _CMP_GT_OQ))); }
  static V floor(V x) { return _mm256_round_ps(x, _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC); }
  static V fraction(V x) { return sub(x, floor(x)); }
  static V scale(V p, V x) {
    const __m256i exponent =
        _mm256_slli_epi32(_mm256_add_epi32(_mm256_cvtps_epi32(floor(x)), _mm256_set1_epi32(127)), 23);
    return _mm256_and_ps(mul(p, _mm256_castsi256_ps(exponent)), _mm256_cmp_ps(x, set(-100.0f), _CMP_GE_OQ));
  }

  using P = __m256i;
  static V load_bf16(const uint16_t* p) {
    const __m128i x = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
    return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(x), 16));
  }
  static P load_pairs(const uint32_t* p) { return _mm256_loadu_si256(reinterpret_cast<const P*>(p)); }
  static void store_pairs(uint32_t* p, P x) { _mm256_storeu_si256(reinterpret_cast<P*>(p), x); }
  static P set_pair(uint32_t x) { return _mm256_set1_epi32(static_cast<int>(x)); }
  static V first(P x) { return _mm256_castsi256_ps(_mm256_slli_epi32(x, 16)); }
  static V second(P x) {
    return _mm256_castsi256_ps(_mm256_and_si256(x, _mm256_set1_epi32(static_cast<int>(0xffff0000))));
  }
  static V dot(P a, P b, V c) { return fma(first(a), first(b), fma(second(a), second(b), c)); }
  static P to_bf16(V v) {  // in the lower halves
    const P bits = _mm256_castps_si256(v), odd = _mm256_and_si256(_mm256_srli_epi32(bits, 16), _mm256_set1_epi32(1));
    return _mm256_srli_epi32(_mm256_add_epi32(bits, _mm256_add_epi32(odd, _mm256_set1_epi32(0x7fff))), 16);
  }
  static P to_bf16(V v0, V v1) {
    return _mm256_permute4x64_epi64(_mm256_packus_epi32(to_bf16(v0), to_bf16(v1)), 0b11011000);
  }
  static void interleave(P x, P y, P& low, P& high) {
    const P even = _mm256_unpacklo_epi16(x, y), odd = _mm256_unpackhi_epi16(x, y);  // of each half
    low = _mm256_permute2x128_si256(even, odd, 0x20);
    high = _mm256_permute2x128_si256(even, odd, 0x31);
  }
};

}  // namespace

#include "math/tile_kernels_body.h"

PAGODA_END_SIMD

const pagoda::math::TileKernels* pagoda::math::avx2_tile_kernels() { return &kKernels; }
#else
const pagoda::math::TileKernels* pagoda::math::avx2_tile_kernels() { return nullptr; }
#endif
