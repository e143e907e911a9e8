#include "math/rows_view.h"

#include "math/simd_dispatch.h"

namespace pagoda::math {
namespace {

void widen_portable(const uint16_t* f16, size_t n, float* out) {
  for (size_t i = 0; i < n; ++i) out[i] = static_cast<float>(std::bit_cast<Binary16>(f16[i]));
}

#if PAGODA_X86
PAGODA_AVX2 void widen_v3(const uint16_t* f16, size_t n, float* out) {
  size_t i = 0;
  for (; i + 8 <= n; i += 8)
    _mm256_storeu_ps(out + i, _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(f16 + i))));
  for (; i < n; ++i) out[i] = _cvtsh_ss(f16[i]);
}
constexpr PerSimdLevel kWiden{widen_portable, widen_v3};
#else
constexpr PerSimdLevel kWiden{widen_portable};
#endif

}  // namespace

void widen_f16(const uint16_t* f16, size_t n, float* out) { kWiden.best()(f16, n, out); }

}  // namespace pagoda::math
