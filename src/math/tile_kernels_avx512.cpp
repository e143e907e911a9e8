#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
#include <immintrin.h>
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"  // g++ 12 of its own <immintrin.h>

#include <algorithm>

#include "math/bf16.h"
#include "math/tile_kernels.h"

#pragma GCC push_options
#pragma GCC target("arch=x86-64-v4,prefer-vector-width=512")

#include "math/tile_kernels_avx512.h"
#include "math/tile_kernels_body.h"

#pragma GCC pop_options

const pagoda::math::TileKernels* pagoda::math::avx512_tile_kernels() { return &kKernels; }
#else
#include "math/tile_kernels.h"
const pagoda::math::TileKernels* pagoda::math::avx512_tile_kernels() { return nullptr; }
#endif
