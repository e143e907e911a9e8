// Products of a block of rows with a tile of columns, the inner loops of losses over logits, and weighted sums of a
// table's rows: a set of functions for each set of instructions, chosen at run time. All run on the calling thread; sums
// over an inner dimension are taken in its order by one accumulator a result, so a table's results have the same bits
// wherever it runs.
#pragma once

#include <cstddef>
#include <cstdint>

#include "math/instructions.h"
#include "math/matrix.h"

namespace pagoda {

struct ScoreHit {
  float score;
  uint32_t item, query;
};

struct TileKernels {
  size_t lanes;  // floats in a vector
  size_t panel;  // columns in a panel: two vectors
  size_t rows;   // a block's height is best a multiple of this

  // panels[p][k][c] = V[p panel + c][k] for the columns [n, D] of a tile, 0 beyond n: ceil(n / panel) panel D floats.
  void (*pack)(MatrixView<const float> columns, float* panels);

  // out[i][j] = scale <u_i, v_j>. Writes whole panels: a row of `out` has room for n rounded up to a panel.
  void (*products)(MatrixView<const float> u, const float* panels, size_t n, float scale, MatrixView<float> out);

  // The scores <v_i, u_q> above bars[q]: their number, and the scores at `hits`, which has room for all. A score is one
  // chain of multiply-adds in the order of D. `panels`: the queries U packed; bars has room for whole panels, and holds
  // infinity beyond the queries. Of one query, items rise.
  size_t (*above)(MatrixView<const float> items, const float* panels, size_t queries, const float* bars,
                  ScoreHit* hits);

  // out[i][j] = 2^(scale <u_i, v_j> + bias[j] - shift[i]), 0 where that is below 2^-100, with a relative error near
  // 2^-20; sums[i] over j < n. `bias` has room for whole panels, and holds kNoPower beyond n. `soon` [n, D]: what is
  // read after this, asked for meanwhile.
  void (*powers)(MatrixView<const float> u, const float* panels, size_t n, float scale, const float* bias,
                 const float* shift, MatrixView<const float> soon, MatrixView<float> out, double* sums);

  // C = A B: A [m, k], B [k, D], C [m, D]. B's rows are read in whole vectors: they have room for that.
  void (*product)(MatrixView<const float> a, MatrixView<const float> b, MatrixView<float> c);

  // C += A^T B: A [k, m], B [k, D], C [m, D].
  void (*add_transposed_product)(MatrixView<const float> a, MatrixView<const float> b, MatrixView<float> c);

  // The same in bf16 (math/bf16.h), summed in float: e = 2^(<u_i, v_j> + bias[j] - shift[i]) with a relative error of
  // 2^-12 before it is rounded. U [R, ceil(D / 2)] pairs of neighbours in a row, R even;
  // panels[p][k][c] = the pair V[p panel + c][2 k], [2 k + 1], 0 beyond D. E is written twice, as each product wants it:
  // by_row[i][j] = (e[i][2 j], e[i][2 j + 1]), by_column[i][j] = (e[2 i][j], e[2 i + 1][j]). Sums are of e before it is
  // rounded.
  void (*pack_pairs)(MatrixView<const float> columns, uint32_t* panels);
  void (*powers_pairs)(MatrixView<const uint32_t> u, const uint32_t* panels, size_t n, const float* bias,
                       const float* shift, MatrixView<uint32_t> by_row, MatrixView<uint32_t> by_column, double* sums);
  // A [m, k] pairs, as by_row; B [k, D] pairs of rows, (b[2 k][d], b[2 k + 1][d]).
  void (*product_pairs)(MatrixView<const uint32_t> a, MatrixView<const uint32_t> b, MatrixView<float> c);
  // A [k, m], as by_column.
  void (*add_transposed_product_pairs)(MatrixView<const uint32_t> a, MatrixView<const uint32_t> b, MatrixView<float> c);

  // out[i] = sum_n weights[n] table[rows[n]] over list i, n in [offsets[i], offsets[i + 1]) in this order, and
  // out[i] += it; out [lists, D], table [any, D]. rows[0 .. readable) may be looked at, readable >= the last offset: what
  // is read after these lists is asked for early.
  void (*sum_lists)(MatrixView<const float> table, const uint64_t* offsets, size_t lists, const uint32_t* rows,
                    const float* weights, size_t readable, MatrixView<float> out);
  void (*add_lists)(MatrixView<const float> table, const uint64_t* offsets, size_t lists, const uint32_t* rows,
                    const float* weights, size_t readable, MatrixView<float> out);
  void (*sum_lists_of_bf16)(MatrixView<const uint16_t> table, const uint64_t* offsets, size_t lists,
                            const uint32_t* rows, const float* weights, size_t readable, MatrixView<float> out);
};

inline constexpr float kNoPower = -1e30f;  // a bias that makes 2^x zero

const TileKernels& tile_kernels(Instructions instructions);
const TileKernels& best_tile_kernels();  // the best of usable_instructions()

// A file each; nullptr where the compiler or the machine has no such instructions.
const TileKernels* portable_tile_kernels();
const TileKernels* avx2_tile_kernels();
const TileKernels* avx512_tile_kernels();
const TileKernels* avx512_bf16_tile_kernels();

}  // namespace pagoda
