// Kernels of a softmax over logits on the tile registers of AMX: factors in bf16, sums in float. E is never kept: its
// rows' sums are one call, and the products with it another, which computes it again. That costs a third more products,
// and saves writing and reading 4 bytes of each of its values, which takes longer.
//
// Operands lie in tiles of 1 KiB, one after the other: 16 rows of 32 numbers of bf16, or of 16 pairs of them, or of 16
// floats. A block has 32 rows of U or more, a tile of columns 32 columns or more, and a vector 32 numbers or more, each
// filled up to a multiple of kAmxStep with zeros.
#pragma once

#include <cstddef>
#include <cstdint>

#include "math/matrix.h"

namespace pagoda::math {

inline constexpr size_t kAmxStep = 32;
inline constexpr size_t kAmxTileRows = 16;
inline constexpr size_t kAmxTileNumbers = 512;  // of bf16
inline constexpr size_t kAmxTileFloats = 256;

// A block of R rows of U by a tile of N columns of V; R, N and D multiples of kAmxStep.
struct AmxBlock {
  const uint16_t* users;    // pack_users
  const uint16_t* columns;  // pack_columns
  size_t rows, n, dim;
  const float* shift;  // [R], 1e30 for rows that fill up
  const float* bias;   // [N], kMaskedBias (math/tile_kernels.h) for columns that fill up
  // The masked logits of rows [32 g, 32 g + 32) and columns [32 b, 32 b + 32) are masked[k], a row of the 32 times 32
  // plus a column of the 32, for k in [masked_at[g masked_stride + b], masked_at[g masked_stride + b + 1]).
  const uint32_t* masked_at;
  size_t masked_stride;
  const uint16_t* masked;
};

struct AmxKernels {
  // V [n, D] as the left operand of V U^T, [n / 16][D / 32] tiles, and of V^T E^T, [n / 32][D / 16] tiles.
  void (*pack_columns)(MatrixView<const float> columns, uint16_t* by_column, uint16_t* by_dim);
  // scale U [R, D] as the right operand of V U^T: [R / 16][D / 32] tiles of pairs along D.
  void (*pack_users)(MatrixView<const float> users, float scale, uint16_t* out);
  // diag(factors) U as the right operand of E^T U: [R / 32][D / 16] tiles of pairs of rows.
  void (*pack_factored_users)(MatrixView<const float> users, const float* factors, uint16_t* out);

  // With e_ij = 2^(<u_i, v_j> + bias[j] - shift[i]), 0 where that is below 2^-100 or masked, its relative error 2^-12
  // before it is rounded: sums[i] = sum_j e_ij, of e before it is rounded.
  void (*exp2_sums)(const AmxBlock& block, double* sums);
  // d_users = E V, [R, D] floats by rows. d_columns += E^T diag(factors) U, [N / 16][D / 16] tiles of floats, but for
  // columns [constant_begin, constant_end) of the block, which may miss all or a part of it.
  void (*exp2_products)(const AmxBlock& block, const uint16_t* by_dim, const uint16_t* factored_users,
                        size_t constant_begin, size_t constant_end, float* d_users, float* d_columns);
};

// nullptr below SimdLevel::amx.
const AmxKernels* best_amx_kernels();
const AmxKernels* amx_kernels();  // nullptr where the program is for another kind of machine

}  // namespace pagoda::math
