// Inner products of 8-bit codes, for scans of inverted lists and for k-means.
//
// A block holds 16 rows, four components of a row together, as the dot-product instructions of AVX-512 VNNI read them
// (unsigned times signed bytes, four products added to a 32-bit lane). With D padded with zeros to 4 G:
//   block[64 g + 4 lane + j] = 128 + code of component 4 g + j of row `lane`      code in [-127, 127], g < G
// A query is G groups of four signed codes: sum_d q_d x_d = sum_d q_d (128 + x_d) - 128 sum_d q_d. Its `start` is the
// last term, which is the same for all rows. Sums are exact in 32 bits up to D = 65536.
//
// Every instruction set gives the same bits. All functions are thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "math/simd_level.h"

namespace pagoda::index {

// The instructions of code_kernels(): SimdLevel::avx512 stands for AVX-512 with VNNI.
math::SimdLevel code_kernels_level();

inline constexpr size_t kBlockRows = 16;
inline constexpr size_t kLargestCode = 127;

inline size_t code_groups(size_t dim) { return (dim + 3) / 4; }
inline size_t block_bytes(size_t groups) { return groups * 4 * kBlockRows; }
inline size_t blocks_of(size_t rows) { return (rows + kBlockRows - 1) / kBlockRows; }

// codes[d] = round(values[d] * inverse_step), clamped to [-127, 127]; zeros fill `codes` up to a whole group. A NaN
// becomes any code.
void quantize(std::span<const float> values, float inverse_step, int8_t* codes);
// Writes codes from quantize() into lane `row` % 16 of block `row` / 16.
void pack_codes(const int8_t* codes, size_t groups, size_t row, uint8_t* blocks);
// -128 times the sum of the codes.
int32_t code_start(const int8_t* codes, size_t groups);

// One query of a scan, and where the rows it finds go.
struct CodeScan {
  const int8_t* codes;  // [groups * 4]
  int32_t start;        // code_start(codes)
  int32_t threshold;    // select() finds the rows whose product is above it
  float scale;          // score = scale * product
  float* scores;        // with room for `rows` + 16 past `found`
  uint32_t* positions;
  size_t found;  // number of rows found so far; grows
};

struct CodeKernels {
  // products[i] = query . row i, for rows rounded up to whole blocks.
  void (*products)(const uint8_t* blocks, size_t rows, size_t groups, const int8_t* query, int32_t start,
                   int32_t* products);

  // For each query, appends scale * product and first_position + i for the rows i, ascending, whose product is above
  // the threshold and whose bit is set in `masks` (bit i % 16 of masks[i / 16]; nullptr: all rows).
  void (*select)(const uint8_t* blocks, size_t rows, size_t groups, const uint16_t* masks, uint32_t first_position,
                 CodeScan* queries, size_t n_queries);

  // best[q] = the row with the largest biases[row] + product with query q - code_start(query q), the lowest row on
  // ties; values[q] = that sum. rows > 0; queries [n_queries, groups * 4]; `biases` covers whole blocks.
  void (*nearest)(const uint8_t* blocks, const int32_t* biases, size_t rows, size_t groups, const int8_t* queries,
                  size_t n_queries, uint32_t* best, int32_t* values);

  // Moves the pairs whose score is above the threshold to the front, in their order, and returns their number.
  size_t (*keep_above)(float* scores, uint32_t* positions, size_t n, float threshold);

  // Bit i % 16 of masks[i / 16] is set if the bit set `set` has rows[i]; bits past n are 0.
  void (*masks)(const uint64_t* set, const uint32_t* rows, size_t n, uint16_t* masks);
};

// The best kernels that use at most these instructions; avx512 also needs VNNI. All give the same bits.
const CodeKernels& code_kernels(math::SimdLevel instructions);
const CodeKernels& code_kernels();  // of math::best_simd_level()

}  // namespace pagoda::index
