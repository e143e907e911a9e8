// How code is compiled for several instruction sets, by g++ and clang alike, and how one of them is chosen at run time:
// the one place that knows. What there is to choose from, up to PAGODA_KERNELS, simd_level.h says. Three forms:
//
//   simd_call<loop>(arguments)   a plain loop, which the compiler turns into vectors for each set
//   PAGODA_AVX2 void f(...)      a function of intrinsics, under #if PAGODA_X86; PerSimdLevel picks among such
//   PAGODA_BEGIN_AVX2            ... PAGODA_END_SIMD around definitions, templates and lambdas too; with no #include of
//                                others' headers in between, whose functions would need these instructions everywhere
#pragma once

#include "math/simd_level.h"

#if defined(__x86_64__)
#include <immintrin.h>
#define PAGODA_X86 1
#if !defined(__clang__)
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"  // g++ 12 of its own <immintrin.h>
#endif

#define PAGODA_AVX2_TARGET "arch=x86-64-v3"
#define PAGODA_AVX512_TARGET "arch=x86-64-v4"
#define PAGODA_AVX2 __attribute__((target(PAGODA_AVX2_TARGET)))
#define PAGODA_AVX512 __attribute__((target(PAGODA_AVX512_TARGET)))
#define PAGODA_AVX512_VNNI __attribute__((target(PAGODA_AVX512_TARGET ",avx512vnni")))

#define PAGODA_PRAGMA(...) _Pragma(#__VA_ARGS__)
#if defined(__clang__)
#define PAGODA_BEGIN_SIMD(target_name) \
  PAGODA_PRAGMA(clang attribute push(__attribute__((target(target_name))), apply_to = function))
#define PAGODA_END_SIMD PAGODA_PRAGMA(clang attribute pop)
#define PAGODA_WHOLE_VECTORS  // intrinsics of 512 bits stay what they are
#else
#define PAGODA_BEGIN_SIMD(target_name) PAGODA_PRAGMA(GCC push_options) PAGODA_PRAGMA(GCC target target_name)
#define PAGODA_END_SIMD PAGODA_PRAGMA(GCC pop_options)
#define PAGODA_WHOLE_VECTORS ",prefer-vector-width=512"
#endif
#define PAGODA_BEGIN_AVX2 PAGODA_BEGIN_SIMD(PAGODA_AVX2_TARGET)
#define PAGODA_BEGIN_AVX512 PAGODA_BEGIN_SIMD(PAGODA_AVX512_TARGET PAGODA_WHOLE_VECTORS)
#define PAGODA_BEGIN_AVX512_BF16 PAGODA_BEGIN_SIMD(PAGODA_AVX512_TARGET ",avx512bf16" PAGODA_WHOLE_VECTORS)
#define PAGODA_BEGIN_AMX PAGODA_BEGIN_SIMD(PAGODA_AVX512_TARGET ",avx512bf16,amx-tile,amx-bf16" PAGODA_WHOLE_VECTORS)
#else
#define PAGODA_X86 0
#endif

// Of what simd_call is given, and of all it calls: a function of its own would be compiled for one set alone.
#define PAGODA_INLINE inline __attribute__((always_inline))

// Before a loop whose iterations write nothing that another one reads, whatever the pointers look like.
#if defined(__clang__)
#define PAGODA_INDEPENDENT _Pragma("clang loop vectorize(assume_safety)")
#else
#define PAGODA_INDEPENDENT _Pragma("GCC ivdep")
#endif

namespace pagoda::math {

// What each level uses; where T{} stands, what the level below uses.
template <class T>
struct PerSimdLevel {
  T portable, avx2{}, avx512{}, avx512_bf16{}, amx{};

  T at(SimdLevel level) const {
    if (level >= SimdLevel::amx && amx != T{}) return amx;
    if (level >= SimdLevel::avx512_bf16 && avx512_bf16 != T{}) return avx512_bf16;
    if (level >= SimdLevel::avx512 && avx512 != T{}) return avx512;
    if (level >= SimdLevel::avx2 && avx2 != T{}) return avx2;
    return portable;
  }
  T best() const { return at(best_simd_level()); }
};

template <auto Loop>
struct SimdCall;

template <class R, class... A, R (*Loop)(A...)>
struct SimdCall<Loop> {
  static R portable(A... a) { return Loop(a...); }
#if PAGODA_X86
  PAGODA_AVX2 static R avx2(A... a) { return Loop(a...); }
  PAGODA_AVX512 static R avx512(A... a) { return Loop(a...); }
#endif

  static R run(SimdLevel level, A... a) {
#if PAGODA_X86
    if (level >= SimdLevel::avx512) return avx512(a...);
    if (level == SimdLevel::avx2) return avx2(a...);
#endif
    return portable(a...);
  }
};

// Loop(arguments), Loop a PAGODA_INLINE function, with the best instructions of usable_simd_levels(). AVX2 and AVX-512
// give the same bits as long as Loop adds up in an order that it writes down; without fused multiply-adds, as on plain
// x86-64, the last bits of floats may differ. Costs a load and a branch. Throws as usable_simd_levels() does.
template <auto Loop, class... A>
inline auto simd_call(A&&... arguments) {
  return SimdCall<Loop>::run(best_simd_level(), static_cast<A&&>(arguments)...);
}

}  // namespace pagoda::math
