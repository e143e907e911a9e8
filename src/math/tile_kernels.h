// Kernels for the inner loops of losses over logits (products of a block of rows with a tile of columns) and for
// weighted sums of table rows: one set of functions for each instruction set, chosen at run time. All run on the
// calling thread. Each result has one accumulator that adds up the inner dimension in order, so a set gives the same
// bits on every CPU that has it.
#pragma once

#include <cstddef>
#include <cstdint>

#include "math/matrix.h"
#include "math/simd_level.h"

namespace pagoda::math {

struct ScoreHit {
  float score;
  uint32_t item, query;
};

struct TileKernels {
  size_t lanes;  // floats in a vector
  size_t panel;  // columns in a panel: two vectors
  size_t rows;   // blocks whose height is a multiple of this are fastest

  // panels[p][k][c] = V[p panel + c][k] for the columns [n, D] of a tile, 0 beyond n: ceil(n / panel) panel D floats.
  void (*pack)(MatrixView<const float> columns, float* panels);

  // out[i][j] = scale <u_i, v_j>. Writes whole panels: a row of `out` has room for n rounded up to a panel.
  void (*products)(MatrixView<const float> u, const float* panels, size_t n, float scale, MatrixView<float> out);

  // Finds the scores <v_i, u_q> that are above bars[q]: returns their number and writes them to `hits`, which has room
  // for all. A score is one chain of multiply-adds in the order of D. `panels`: the packed queries U. `bars` has room
  // for whole panels and holds infinity beyond the queries. The hits of one query come by rising item.
  size_t (*above)(MatrixView<const float> items, const float* panels, size_t queries, const float* bars,
                  ScoreHit* hits);

  // out[i][j] = 2^(scale <u_i, v_j> + bias[j] - shift[i]), 0 where that is below 2^-100, with a relative error near
  // 2^-20; sums[i] = sum of out[i][j] over j < n. `bias` has room for whole panels and holds kMaskedBias beyond n.
  // `prefetch` [n, D]: rows that the caller reads next; they are prefetched meanwhile.
  void (*exp2_logits)(MatrixView<const float> u, const float* panels, size_t n, float scale, const float* bias,
                      const float* shift, MatrixView<const float> prefetch, MatrixView<float> out, double* sums);

  // C = A B: A [m, k], B [k, D], C [m, D]. The rows of B are read in whole vectors and have room for that.
  void (*product)(MatrixView<const float> a, MatrixView<const float> b, MatrixView<float> c);

  // C += A^T B: A [k, m], B [k, D], C [m, D].
  void (*add_transposed_product)(MatrixView<const float> a, MatrixView<const float> b, MatrixView<float> c);

  // The same in bf16 (math/bf16.h), summed in float: e = 2^(<u_i, v_j> + bias[j] - shift[i]) with a relative error of
  // 2^-12 before it is rounded. U [R, ceil(D / 2)] pairs of neighbours in a row, R even;
  // panels[p][k][c] = the pair V[p panel + c][2 k], [2 k + 1], 0 beyond D. E is written twice, as each product wants
  // it: by_row[i][j] = (e[i][2 j], e[i][2 j + 1]), by_column[i][j] = (e[2 i][j], e[2 i + 1][j]). Sums are of e before
  // it is rounded.
  void (*pack_pairs)(MatrixView<const float> columns, uint32_t* panels);
  void (*exp2_logits_bf16)(MatrixView<const uint32_t> u, const uint32_t* panels, size_t n, const float* bias,
                           const float* shift, MatrixView<uint32_t> by_row, MatrixView<uint32_t> by_column,
                           double* sums);
  // A [m, k] pairs, as by_row; B [k, D] pairs of rows, (b[2 k][d], b[2 k + 1][d]).
  void (*product_pairs)(MatrixView<const uint32_t> a, MatrixView<const uint32_t> b, MatrixView<float> c);
  // A [k, m], as by_column.
  void (*add_transposed_product_pairs)(MatrixView<const uint32_t> a, MatrixView<const uint32_t> b, MatrixView<float> c);

  // sum_lists: out[i] = sum_n weights[n] table[rows[n]] over list i, which is n in [offsets[i], offsets[i + 1]), in
  // this order. add_lists: out[i] += that sum. out [lists, D], table [any, D]. rows[0 .. readable), readable >= the
  // last offset, are known ahead, so that table rows are prefetched.
  void (*sum_lists)(MatrixView<const float> table, const uint64_t* offsets, size_t lists, const uint32_t* rows,
                    const float* weights, size_t readable, MatrixView<float> out);
  void (*add_lists)(MatrixView<const float> table, const uint64_t* offsets, size_t lists, const uint32_t* rows,
                    const float* weights, size_t readable, MatrixView<float> out);
  void (*sum_lists_of_bf16)(MatrixView<const uint16_t> table, const uint64_t* offsets, size_t lists,
                            const uint32_t* rows, const float* weights, size_t readable, MatrixView<float> out);
};

inline constexpr float kMaskedBias = -1e30f;  // a bias that makes 2^x zero

const TileKernels& tile_kernels(SimdLevel instructions);
const TileKernels& best_tile_kernels();  // the best of usable_simd_levels()

// One file each; nullptr where the program is for another kind of machine.
const TileKernels* portable_tile_kernels();
const TileKernels* avx2_tile_kernels();
const TileKernels* avx512_tile_kernels();
const TileKernels* avx512_bf16_tile_kernels();

}  // namespace pagoda::math
