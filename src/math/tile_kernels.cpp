#include "math/tile_kernels.h"

#include "math/simd_dispatch.h"

namespace pagoda::math {

const TileKernels& best_tile_kernels() { return tile_kernels(best_simd_level()); }

const TileKernels& tile_kernels(SimdLevel instructions) {
  const PerSimdLevel<const TileKernels*> kernels{portable_tile_kernels(), avx2_tile_kernels(), avx512_tile_kernels(),
                                                 avx512_bf16_tile_kernels()};
  return *kernels.at(instructions);
}

}  // namespace pagoda::math
