#include "math/tile_kernels.h"

#include "core/error.h"

namespace pagoda {

const TileKernels& best_tile_kernels() { return tile_kernels(usable_instructions().back()); }

const TileKernels& tile_kernels(Instructions instructions) {
  const TileKernels* kernels = nullptr;
  switch (instructions) {
    case Instructions::portable: kernels = portable_tile_kernels(); break;
    case Instructions::avx2: kernels = avx2_tile_kernels(); break;
    case Instructions::avx512: kernels = avx512_tile_kernels(); break;
    case Instructions::avx512_bf16: kernels = avx512_bf16_tile_kernels(); break;
  }
  check(kernels != nullptr, "kernels that this machine runs");
  return *kernels;
}

}  // namespace pagoda
