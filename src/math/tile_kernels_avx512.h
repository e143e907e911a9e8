// The vector of tile_kernels_avx512.cpp and tile_kernels_avx512_bf16.cpp, within their PAGODA_BEGIN_AVX512 and
// PAGODA_BEGIN_AVX512_BF16; the second defines PAGODA_HAS_BF16_PRODUCTS.
#pragma once

namespace {

struct Vector {
  using V = __m512;
  static constexpr size_t kLanes = 16;
  // Of 32 registers: 24 sums, 2 columns and 1 broadcast, or 24 sums, 4 columns and 1 broadcast.
  static constexpr int kRows = 12, kWide = 4, kWideRows = 6;

  static V load(const float* p) { return _mm512_loadu_ps(p); }
  static void store(float* p, V v) { _mm512_storeu_ps(p, v); }
  static V set(float x) { return _mm512_set1_ps(x); }
  static V add(V a, V b) { return _mm512_add_ps(a, b); }
  static V sub(V a, V b) { return _mm512_sub_ps(a, b); }
  static V mul(V a, V b) { return _mm512_mul_ps(a, b); }
  static V fma(V a, V b, V c) { return _mm512_fmadd_ps(a, b, c); }
  static unsigned above(V a, V b) { return _mm512_cmp_ps_mask(a, b, _CMP_GT_OQ); }
  static V fraction(V x) { return _mm512_maskz_reduce_ps(0xffff, x, _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC); }
  static V scale(V p, V x) {  // scalef takes the floor itself
    return _mm512_maskz_scalef_ps(_mm512_cmp_ps_mask(x, set(-100.0f), _CMP_GE_OQ), p, x);
  }

  using P = __m512i;
  static V load_bf16(const uint16_t* p) {
    const __m256i x = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
    return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(x), 16));
  }
  static P load_pairs(const uint32_t* p) { return _mm512_loadu_si512(p); }
  static void store_pairs(uint32_t* p, P x) { _mm512_storeu_si512(p, x); }
  static P set_pair(uint32_t x) { return _mm512_set1_epi32(static_cast<int>(x)); }
#ifdef PAGODA_HAS_BF16_PRODUCTS
  static V dot(P a, P b, V c) { return _mm512_dpbf16_ps(c, (__m512bh)a, (__m512bh)b); }
  static P to_bf16(V v0, V v1) { return (P)_mm512_cvtne2ps_pbh(v1, v0); }
#else
  static V first(P x) { return _mm512_castsi512_ps(_mm512_slli_epi32(x, 16)); }
  static V second(P x) {
    return _mm512_castsi512_ps(_mm512_and_si512(x, _mm512_set1_epi32(static_cast<int>(0xffff0000))));
  }
  static V dot(P a, P b, V c) { return fma(first(a), first(b), fma(second(a), second(b), c)); }
  static __m256i to_bf16(V v) {
    const P bits = _mm512_castps_si512(v), odd = _mm512_and_si512(_mm512_srli_epi32(bits, 16), _mm512_set1_epi32(1));
    return _mm512_cvtepi32_epi16(
        _mm512_srli_epi32(_mm512_add_epi32(bits, _mm512_add_epi32(odd, _mm512_set1_epi32(0x7fff))), 16));
  }
  static P to_bf16(V v0, V v1) { return _mm512_inserti64x4(_mm512_castsi256_si512(to_bf16(v0)), to_bf16(v1), 1); }
#endif
  static void interleave(P x, P y, P& low, P& high) {
    const P of_y = _mm512_set1_epi32(32 << 16);
    const P ascending = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    const P both = _mm512_or_si512(ascending, _mm512_slli_epi32(ascending, 16));  // 0 0 1 1 2 2 ...
    const P from_low = _mm512_or_si512(both, of_y);
    low = _mm512_permutex2var_epi16(x, from_low, y);
    high = _mm512_permutex2var_epi16(x, _mm512_add_epi16(from_low, _mm512_set1_epi16(16)), y);
  }
};

}  // namespace
