#include "math/rows_view.h"

#include "math/simd_level.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace pagoda::math {
namespace {

void widen_portable(const uint16_t* f16, size_t n, float* out) {
  for (size_t i = 0; i < n; ++i) out[i] = static_cast<float>(std::bit_cast<_Float16>(f16[i]));
}

#if defined(__x86_64__)
__attribute__((target("arch=x86-64-v3"))) void widen_v3(const uint16_t* f16, size_t n, float* out) {
  size_t i = 0;
  for (; i + 8 <= n; i += 8)
    _mm256_storeu_ps(out + i, _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(f16 + i))));
  for (; i < n; ++i) out[i] = _cvtsh_ss(f16[i]);
}
#endif

}  // namespace

void widen_f16(const uint16_t* f16, size_t n, float* out) {
#if defined(__x86_64__)
  static const bool avx2 = usable_simd_levels().back() >= SimdLevel::avx2;
  if (avx2) return widen_v3(f16, n, out);
#endif
  widen_portable(f16, n, out);
}

}  // namespace pagoda::math
