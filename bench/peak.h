// What this machine's vector units give at most, measured beside what is compared with it.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <vector>

#include "core/thread_pool.h"
#include "math/simd_level.h"

#ifdef __x86_64__
#include <immintrin.h>
#endif

namespace pagoda {

// Twelve chains of multiply-adds in registers, `rounds` times; returns the operations (2 a lane).
#ifdef __x86_64__
__attribute__((target("avx512f"), noinline)) inline double multiply_add_512(long rounds, volatile float* sink) {
  __m512 a[12];
  for (int i = 0; i < 12; ++i) a[i] = _mm512_set1_ps(static_cast<float>(i) * 1e-3f);
  const __m512 x = _mm512_set1_ps(0.999f), y = _mm512_set1_ps(1e-5f);
  for (long r = 0; r < rounds; ++r)
#pragma GCC unroll 12
    for (int i = 0; i < 12; ++i) a[i] = _mm512_fmadd_ps(a[i], x, y);
  for (int i = 1; i < 12; ++i) a[0] = _mm512_add_ps(a[0], a[i]);
  *sink = _mm512_reduce_add_ps(a[0]);
  return static_cast<double>(rounds) * 12 * 32;
}

__attribute__((target("avx2,fma"), noinline)) inline double multiply_add_256(long rounds, volatile float* sink) {
  __m256 a[12];
  for (int i = 0; i < 12; ++i) a[i] = _mm256_set1_ps(static_cast<float>(i) * 1e-3f);
  const __m256 x = _mm256_set1_ps(0.999f), y = _mm256_set1_ps(1e-5f);
  for (long r = 0; r < rounds; ++r)
#pragma GCC unroll 12
    for (int i = 0; i < 12; ++i) a[i] = _mm256_fmadd_ps(a[i], x, y);
  for (int i = 1; i < 12; ++i) a[0] = _mm256_add_ps(a[0], a[i]);
  *sink = a[0][0];
  return static_cast<double>(rounds) * 12 * 16;
}
#endif

// The same in dot products of pairs of bf16: 4 operations a lane.
#if defined(__x86_64__)
__attribute__((target("avx512f,avx512bf16"), noinline)) inline double dot_pairs_512(long rounds, volatile float* sink) {
  __m512 a[12];
  for (int i = 0; i < 12; ++i) a[i] = _mm512_set1_ps(static_cast<float>(i) * 1e-3f);
  const auto x = (__m512bh)_mm512_set1_epi32(0x3c003c00), y = (__m512bh)_mm512_set1_epi32(0x3c013c01);
  for (long r = 0; r < rounds; ++r)
#pragma GCC unroll 12
    for (int i = 0; i < 12; ++i) a[i] = _mm512_dpbf16_ps(a[i], x, y);
  for (int i = 1; i < 12; ++i) a[0] = _mm512_add_ps(a[0], a[i]);
  *sink = _mm512_reduce_add_ps(a[0]);
  return static_cast<double>(rounds) * 12 * 64;
}
#endif

// The same in products of tiles: four chains of 16 x 16 x 32 multiply-adds.
#if defined(__x86_64__)
__attribute__((target("amx-tile,amx-bf16"), noinline)) inline double tile_products(long rounds) {
  struct alignas(64) Config {
    uint8_t palette = 1, start_row = 0, reserved[14] = {};
    uint16_t row_bytes[16] = {64, 64, 64, 64, 64, 64, 64, 64};
    uint8_t rows[16] = {16, 16, 16, 16, 16, 16, 16, 16};
  };
  static constexpr Config kConfig;
  _tile_loadconfig(&kConfig);  // which zeroes the tiles
  for (long r = 0; r < rounds; ++r) {
    _tile_dpbf16ps(0, 4, 6);
    _tile_dpbf16ps(1, 4, 7);
    _tile_dpbf16ps(2, 5, 6);
    _tile_dpbf16ps(3, 5, 7);
  }
  _tile_release();
  return static_cast<double>(rounds) * 4 * 2 * 16 * 16 * 32;
}
#endif

// Operations a second of `threads` threads at once; bf16: of products in bf16, 0 where the CPU has none.
inline double peak_flops(ThreadPool& pool, int threads, bool bf16 = false) {
  using Clock = std::chrono::steady_clock;
  constexpr long kRounds = 2000000;
  volatile float sink = 0;
  double operations = 0;
  const auto start = Clock::now();
  std::vector<double> of_task(static_cast<size_t>(threads));
  pool.run(of_task.size(), [&](size_t t) {
    float mine = 0;
#ifdef __x86_64__
    if (bf16 && math::best_simd_level() == math::SimdLevel::amx)
      of_task[t] = tile_products(kRounds);
    else if (bf16)
      of_task[t] = __builtin_cpu_supports("avx512bf16") ? dot_pairs_512(kRounds, &mine) : 0;
    else if (__builtin_cpu_supports("avx512f"))
      of_task[t] = multiply_add_512(kRounds, &mine);
    else if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
      of_task[t] = multiply_add_256(kRounds, &mine);
#endif
    (void)mine;
  });
  for (const double o : of_task) operations += o;
  (void)sink;
  return operations / std::chrono::duration<double>(Clock::now() - start).count();
}

}  // namespace pagoda
