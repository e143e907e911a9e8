#include <algorithm>

#include "math/bf16.h"
#include "math/simd_dispatch.h"
#include "math/tile_kernels.h"

#if PAGODA_X86
PAGODA_BEGIN_AVX512_BF16

#define PAGODA_HAS_BF16_PRODUCTS
#include "math/tile_kernels_avx512.h"
#include "math/tile_kernels_body.h"

PAGODA_END_SIMD

const pagoda::math::TileKernels* pagoda::math::avx512_bf16_tile_kernels() { return &kKernels; }
#else
const pagoda::math::TileKernels* pagoda::math::avx512_bf16_tile_kernels() { return nullptr; }
#endif
