#include "math/tile_kernels.h"

#include "core/error.h"

namespace pagoda::math {

const TileKernels& best_tile_kernels() { return tile_kernels(usable_simd_levels().back()); }

const TileKernels& tile_kernels(SimdLevel instructions) {
  const TileKernels* kernels = nullptr;
  switch (instructions) {
    case SimdLevel::portable: kernels = portable_tile_kernels(); break;
    case SimdLevel::avx2: kernels = avx2_tile_kernels(); break;
    case SimdLevel::avx512: kernels = avx512_tile_kernels(); break;
    case SimdLevel::avx512_bf16: kernels = avx512_bf16_tile_kernels(); break;
  }
  check(kernels != nullptr, "kernels that this machine runs");
  return *kernels;
}

}  // namespace pagoda::math
