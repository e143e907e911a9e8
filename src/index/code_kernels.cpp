#include "index/code_kernels.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "core/error.h"
#include "math/simd_dispatch.h"

namespace pagoda::index {

void quantize(std::span<const float> values, float inverse_step, int8_t* codes) {
  constexpr float kMost = kLargestCode;
  const size_t padded = 4 * code_groups(values.size());
  for (size_t d = 0; d < values.size(); ++d) {
    const float x = std::nearbyint(values[d] * inverse_step);
    codes[d] = static_cast<int8_t>(x > kMost ? kMost : x > -kMost ? x : -kMost);
  }
  std::fill(codes + values.size(), codes + padded, int8_t{0});
}

void pack_codes(const int8_t* codes, size_t groups, size_t row, uint8_t* blocks) {
  uint8_t* lane = blocks + row / kBlockRows * block_bytes(groups) + row % kBlockRows * 4;
  for (size_t g = 0; g < groups; ++g)
    for (size_t j = 0; j < 4; ++j) lane[64 * g + j] = static_cast<uint8_t>(128 + codes[4 * g + j]);
}

int32_t code_start(const int8_t* codes, size_t groups) {
  int32_t sum = 0;
  for (size_t d = 0; d < 4 * groups; ++d) sum += codes[d];
  return -128 * sum;
}

namespace {

// The rows of block b that exist and that the masks let in.
inline uint32_t rows_in(size_t b, size_t rows, const uint16_t* masks) {
  const size_t left = rows - b * kBlockRows;
  const uint32_t there = left >= kBlockRows ? 0xffffu : (1u << left) - 1;
  return masks ? there & masks[b] : there;
}

inline void block_products(const uint8_t* block, size_t groups, const int8_t* query, int32_t start, int32_t* products) {
  for (size_t lane = 0; lane < kBlockRows; ++lane) products[lane] = start;
  for (size_t g = 0; g < groups; ++g, block += 64, query += 4)
    for (size_t lane = 0; lane < kBlockRows; ++lane)
      products[lane] += block[4 * lane] * query[0] + block[4 * lane + 1] * query[1] + block[4 * lane + 2] * query[2] +
                        block[4 * lane + 3] * query[3];
}

void products_portable(const uint8_t* blocks, size_t rows, size_t groups, const int8_t* query, int32_t start,
                       int32_t* products) {
  for (size_t b = 0; b < blocks_of(rows); ++b)
    block_products(blocks + b * block_bytes(groups), groups, query, start, products + b * kBlockRows);
}

void select_portable(const uint8_t* blocks, size_t rows, size_t groups, const uint16_t* masks, uint32_t first_position,
                     CodeScan* queries, size_t n_queries) {
  for (size_t b = 0; b < blocks_of(rows); ++b) {
    const uint32_t in = rows_in(b, rows, masks);
    if (in == 0) continue;
    for (size_t q = 0; q < n_queries; ++q) {
      CodeScan& scan = queries[q];
      int32_t products[kBlockRows];
      block_products(blocks + b * block_bytes(groups), groups, scan.codes, scan.start, products);
      for (size_t lane = 0; lane < kBlockRows; ++lane) {
        scan.scores[scan.found] = static_cast<float>(products[lane]) * scan.scale;
        scan.positions[scan.found] = first_position + static_cast<uint32_t>(b * kBlockRows + lane);
        scan.found += (in >> lane & 1) & (products[lane] > scan.threshold);
      }
    }
  }
}

void nearest_portable(const uint8_t* blocks, const int32_t* biases, size_t rows, size_t groups, const int8_t* queries,
                      size_t n_queries, uint32_t* best, int32_t* values) {
  for (size_t q = 0; q < n_queries; ++q) {
    int32_t most = std::numeric_limits<int32_t>::min();
    best[q] = 0;
    for (size_t b = 0; b < blocks_of(rows); ++b) {
      int32_t products[kBlockRows];
      block_products(blocks + b * block_bytes(groups), groups, queries + q * groups * 4, 0, products);
      const size_t lanes = std::min(kBlockRows, rows - b * kBlockRows);
      for (size_t lane = 0; lane < lanes; ++lane)
        if (products[lane] + biases[b * kBlockRows + lane] > most) {
          most = products[lane] + biases[b * kBlockRows + lane];
          best[q] = static_cast<uint32_t>(b * kBlockRows + lane);
        }
    }
    values[q] = most;
  }
}

size_t keep_above_portable(float* scores, uint32_t* positions, size_t n, float threshold) {
  size_t kept = 0;
  for (size_t i = 0; i < n; ++i) {
    const float score = scores[i];
    scores[kept] = score;
    positions[kept] = positions[i];
    kept += score > threshold;
  }
  return kept;
}

void masks_portable(const uint64_t* set, const uint32_t* rows, size_t n, uint16_t* masks) {
  for (size_t b = 0; b < blocks_of(n); ++b) {
    uint32_t mask = 0;
    const size_t lanes = std::min(kBlockRows, n - b * kBlockRows);
    for (size_t lane = 0; lane < lanes; ++lane) {
      const uint32_t row = rows[b * kBlockRows + lane];
      mask |= static_cast<uint32_t>(set[row >> 6] >> (row & 63) & 1) << lane;
    }
    masks[b] = static_cast<uint16_t>(mask);
  }
}

constexpr CodeKernels kPortable{products_portable, select_portable, nearest_portable, keep_above_portable,
                                masks_portable};

#if PAGODA_X86

// The best lane of a vector of lanes: largest value, then lowest row.
template <size_t N>
void best_lane(const int32_t (&values)[N], const int32_t (&rows)[N], uint32_t& row, int32_t& value) {
  size_t best = 0;
  for (size_t lane = 1; lane < N; ++lane)
    if (values[lane] > values[best] || (values[lane] == values[best] && rows[lane] < rows[best])) best = lane;
  row = static_cast<uint32_t>(rows[best]);
  value = values[best];
}

// Rows 0..7 of a block in low, 8..15 in high. Bytes are widened to 16 bits, as the byte products of AVX2 saturate.
struct Products2 {
  __m256i low, high;
};

PAGODA_AVX2 inline Products2 block_products_2(const uint8_t* block, size_t groups, const int8_t* query, __m256i start) {
  const __m256i zero = _mm256_setzero_si256();
  __m256i sum[4] = {zero, zero, zero, zero};  // of two rows a half each: pairs of sums that are added at the end
  for (size_t g = 0; g < groups; ++g) {
    int32_t four;
    std::memcpy(&four, query + 4 * g, sizeof four);
    const __m256i q = _mm256_cvtepi8_epi16(_mm_set1_epi32(four));
    const __m256i a = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(block + 64 * g));
    const __m256i b = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(block + 64 * g + 32));
    sum[0] = _mm256_add_epi32(sum[0], _mm256_madd_epi16(_mm256_unpacklo_epi8(a, zero), q));
    sum[1] = _mm256_add_epi32(sum[1], _mm256_madd_epi16(_mm256_unpackhi_epi8(a, zero), q));
    sum[2] = _mm256_add_epi32(sum[2], _mm256_madd_epi16(_mm256_unpacklo_epi8(b, zero), q));
    sum[3] = _mm256_add_epi32(sum[3], _mm256_madd_epi16(_mm256_unpackhi_epi8(b, zero), q));
  }
  // hadd leaves rows 0 1 2 3 | 4 5 6 7 in this order: unpacking worked within the halves, too.
  return {_mm256_add_epi32(start, _mm256_hadd_epi32(sum[0], sum[1])),
          _mm256_add_epi32(start, _mm256_hadd_epi32(sum[2], sum[3]))};
}

PAGODA_AVX2 void products_2(const uint8_t* blocks, size_t rows, size_t groups, const int8_t* query, int32_t start,
                            int32_t* products) {
  for (size_t b = 0; b < blocks_of(rows); ++b) {
    const auto p = block_products_2(blocks + b * block_bytes(groups), groups, query, _mm256_set1_epi32(start));
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(products + b * kBlockRows), p.low);
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(products + b * kBlockRows + 8), p.high);
  }
}

PAGODA_AVX2 void select_2(const uint8_t* blocks, size_t rows, size_t groups, const uint16_t* masks,
                          uint32_t first_position, CodeScan* queries, size_t n_queries) {
  for (size_t b = 0; b < blocks_of(rows); ++b) {
    const uint32_t in = rows_in(b, rows, masks);
    if (in == 0) continue;
    for (size_t q = 0; q < n_queries; ++q) {
      CodeScan& scan = queries[q];
      const auto p =
          block_products_2(blocks + b * block_bytes(groups), groups, scan.codes, _mm256_set1_epi32(scan.start));
      const __m256i threshold = _mm256_set1_epi32(scan.threshold);
      const auto above_low = _mm256_movemask_ps(_mm256_castsi256_ps(_mm256_cmpgt_epi32(p.low, threshold)));
      const auto above_high = _mm256_movemask_ps(_mm256_castsi256_ps(_mm256_cmpgt_epi32(p.high, threshold)));
      uint32_t above = in & (static_cast<uint32_t>(above_low) | static_cast<uint32_t>(above_high) << 8);
      if (above == 0) continue;
      int32_t products[kBlockRows];
      _mm256_storeu_si256(reinterpret_cast<__m256i*>(products), p.low);
      _mm256_storeu_si256(reinterpret_cast<__m256i*>(products + 8), p.high);
      for (; above != 0; above &= above - 1) {
        const int lane = __builtin_ctz(above);
        scan.scores[scan.found] = static_cast<float>(products[lane]) * scan.scale;
        scan.positions[scan.found++] = first_position + static_cast<uint32_t>(b * kBlockRows + lane);
      }
    }
  }
}

PAGODA_AVX2 void nearest_2(const uint8_t* blocks, const int32_t* biases, size_t rows, size_t groups,
                           const int8_t* queries, size_t n_queries, uint32_t* best, int32_t* best_values) {
  const __m256i lanes = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7), zero = _mm256_setzero_si256();
  const __m256i none = _mm256_set1_epi32(std::numeric_limits<int32_t>::min());
  for (size_t q = 0; q < n_queries; ++q) {
    __m256i most = none, at = zero;
    const auto look = [&](__m256i products, size_t first) PAGODA_AVX2 {
      products = _mm256_add_epi32(products, _mm256_loadu_si256(reinterpret_cast<const __m256i*>(biases + first)));
      const __m256i row = _mm256_add_epi32(lanes, _mm256_set1_epi32(static_cast<int>(first)));
      const __m256i there = _mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int>(rows)), row);
      const __m256i better = _mm256_and_si256(there, _mm256_cmpgt_epi32(products, most));
      most = _mm256_blendv_epi8(most, products, better);
      at = _mm256_blendv_epi8(at, row, better);
    };
    for (size_t b = 0; b < blocks_of(rows); ++b) {
      const auto p = block_products_2(blocks + b * block_bytes(groups), groups, queries + q * groups * 4, zero);
      look(p.low, b * kBlockRows);
      look(p.high, b * kBlockRows + 8);
    }
    int32_t values[8], rows_at[8];
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(values), most);
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(rows_at), at);
    best_lane(values, rows_at, best[q], best_values[q]);
  }
}

constexpr CodeKernels kAvx2{products_2, select_2, nearest_2, keep_above_portable, masks_portable};

PAGODA_AVX512_VNNI inline __m512i four_codes_512(const int8_t* codes) {
  int32_t four;
  std::memcpy(&four, codes, sizeof four);
  return _mm512_set1_epi32(four);
}

// Tile queries against one block, whose codes are loaded once for all of them. A single query keeps four sums, so that
// one addition need not wait for the one before.
template <int Tile>
PAGODA_AVX512_VNNI inline void block_products_512(const uint8_t* block, size_t groups, const CodeScan* queries,
                                                  __m512i (&products)[Tile]) {
  if constexpr (Tile == 1) {
    __m512i sum[4] = {_mm512_set1_epi32(queries->start), _mm512_setzero_si512(), _mm512_setzero_si512(),
                      _mm512_setzero_si512()};
    size_t g = 0;
    for (; g + 4 <= groups; g += 4)
      for (size_t i = 0; i < 4; ++i)
        sum[i] = _mm512_dpbusd_epi32(sum[i], _mm512_loadu_si512(block + 64 * (g + i)),
                                     four_codes_512(queries->codes + 4 * (g + i)));
    for (; g < groups; ++g)
      sum[0] = _mm512_dpbusd_epi32(sum[0], _mm512_loadu_si512(block + 64 * g), four_codes_512(queries->codes + 4 * g));
    products[0] = _mm512_add_epi32(_mm512_add_epi32(sum[0], sum[1]), _mm512_add_epi32(sum[2], sum[3]));
  } else {
    for (int q = 0; q < Tile; ++q) products[q] = _mm512_set1_epi32(queries[q].start);
    for (size_t g = 0; g < groups; ++g) {
      const __m512i x = _mm512_loadu_si512(block + 64 * g);
      for (int q = 0; q < Tile; ++q)
        products[q] = _mm512_dpbusd_epi32(products[q], x, four_codes_512(queries[q].codes + 4 * g));
    }
  }
}

PAGODA_AVX512_VNNI void products_512(const uint8_t* blocks, size_t rows, size_t groups, const int8_t* query,
                                     int32_t start, int32_t* products) {
  const CodeScan scan{query, start, 0, 0, nullptr, nullptr, 0};
  for (size_t b = 0; b < blocks_of(rows); ++b) {
    __m512i p[1];
    block_products_512<1>(blocks + b * block_bytes(groups), groups, &scan, p);
    _mm512_storeu_si512(products + b * kBlockRows, p[0]);
  }
}

template <int Tile>
PAGODA_AVX512_VNNI void select_tile_512(const uint8_t* blocks, size_t rows, size_t groups, const uint16_t* masks,
                                        uint32_t first_position, CodeScan* queries) {
  const __m512i lanes = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
  constexpr size_t kAhead = 1024;  // bytes: what the next few dozen cycles will ask of memory
  for (size_t b = 0; b < blocks_of(rows); ++b) {
    const uint32_t in = rows_in(b, rows, masks);
    if (in == 0) continue;
    const uint8_t* block = blocks + b * block_bytes(groups);
    if constexpr (Tile == 1)
      for (size_t at = 0; at < block_bytes(groups); at += 64) _mm_prefetch(block + kAhead + at, _MM_HINT_T0);
    __m512i products[Tile];
    block_products_512<Tile>(block, groups, queries, products);
    for (int q = 0; q < Tile; ++q) {
      CodeScan& scan = queries[q];
      const __mmask16 above =
          _mm512_mask_cmpgt_epi32_mask(static_cast<__mmask16>(in), products[q], _mm512_set1_epi32(scan.threshold));
      if (__builtin_expect(above == 0, 1)) continue;
      const __m512 scores = _mm512_mul_ps(_mm512_cvtepi32_ps(products[q]), _mm512_set1_ps(scan.scale));
      const __m512i positions =
          _mm512_add_epi32(lanes, _mm512_set1_epi32(static_cast<int>(first_position + b * kBlockRows)));
      // Compressed in a register and stored whole: a compressing store is microcode on some CPUs, fifty times as slow.
      _mm512_storeu_ps(scan.scores + scan.found, _mm512_maskz_compress_ps(above, scores));
      _mm512_storeu_si512(scan.positions + scan.found, _mm512_maskz_compress_epi32(above, positions));
      scan.found += static_cast<size_t>(__builtin_popcount(above));
    }
  }
}

PAGODA_AVX512_VNNI void select_512(const uint8_t* blocks, size_t rows, size_t groups, const uint16_t* masks,
                                   uint32_t first_position, CodeScan* queries, size_t n_queries) {
  size_t q = 0;
  for (; q + 4 <= n_queries; q += 4) select_tile_512<4>(blocks, rows, groups, masks, first_position, queries + q);
  for (; q < n_queries; ++q) select_tile_512<1>(blocks, rows, groups, masks, first_position, queries + q);
}

template <int Tile>
PAGODA_AVX512_VNNI void nearest_tile_512(const uint8_t* blocks, const int32_t* biases, size_t rows, size_t groups,
                                         const int8_t* queries, uint32_t* best, int32_t* best_values) {
  const __m512i lanes = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
  CodeScan scans[Tile];
  __m512i most[Tile], at[Tile];
  for (int q = 0; q < Tile; ++q) {
    scans[q] = {queries + static_cast<size_t>(q) * groups * 4, 0, 0, 0, nullptr, nullptr, 0};
    most[q] = _mm512_set1_epi32(std::numeric_limits<int32_t>::min());
    at[q] = _mm512_setzero_si512();
  }
  for (size_t b = 0; b < blocks_of(rows); ++b) {
    const auto in = static_cast<__mmask16>(rows_in(b, rows, nullptr));
    const __m512i row = _mm512_add_epi32(lanes, _mm512_set1_epi32(static_cast<int>(b * kBlockRows)));
    __m512i products[Tile];
    block_products_512<Tile>(blocks + b * block_bytes(groups), groups, scans, products);
    const __m512i bias = _mm512_loadu_si512(biases + b * kBlockRows);
    for (int q = 0; q < Tile; ++q) {
      products[q] = _mm512_add_epi32(products[q], bias);
      const __mmask16 better = _mm512_mask_cmpgt_epi32_mask(in, products[q], most[q]);
      most[q] = _mm512_mask_mov_epi32(most[q], better, products[q]);
      at[q] = _mm512_mask_mov_epi32(at[q], better, row);
    }
  }
  for (int q = 0; q < Tile; ++q) {
    int32_t values[kBlockRows], rows_at[kBlockRows];
    _mm512_storeu_si512(values, most[q]);
    _mm512_storeu_si512(rows_at, at[q]);
    best_lane(values, rows_at, best[q], best_values[q]);
  }
}

PAGODA_AVX512_VNNI void nearest_512(const uint8_t* blocks, const int32_t* biases, size_t rows, size_t groups,
                                    const int8_t* queries, size_t n_queries, uint32_t* best, int32_t* values) {
  size_t q = 0;
  for (; q + 8 <= n_queries; q += 8)
    nearest_tile_512<8>(blocks, biases, rows, groups, queries + q * groups * 4, best + q, values + q);
  for (; q < n_queries; ++q)
    nearest_tile_512<1>(blocks, biases, rows, groups, queries + q * groups * 4, best + q, values + q);
}

PAGODA_AVX512_VNNI size_t keep_above_512(float* scores, uint32_t* positions, size_t n, float threshold) {
  size_t kept = 0, i = 0;
  for (; i + 16 <= n; i += 16) {  // what is stored never reaches past what was read
    const __m512 s = _mm512_loadu_ps(scores + i);
    const __m512i p = _mm512_loadu_si512(positions + i);
    const __mmask16 above = _mm512_cmp_ps_mask(s, _mm512_set1_ps(threshold), _CMP_GT_OQ);
    _mm512_storeu_ps(scores + kept, _mm512_maskz_compress_ps(above, s));
    _mm512_storeu_si512(positions + kept, _mm512_maskz_compress_epi32(above, p));
    kept += static_cast<size_t>(__builtin_popcount(above));
  }
  for (; i < n; ++i) {
    const float score = scores[i];
    scores[kept] = score;
    positions[kept] = positions[i];
    kept += score > threshold;
  }
  return kept;
}

PAGODA_AVX512_VNNI void masks_512(const uint64_t* set, const uint32_t* rows, size_t n, uint16_t* masks) {
  for (size_t b = 0; b < blocks_of(n); ++b) {
    const auto in = static_cast<__mmask16>(rows_in(b, n, nullptr));
    const __m512i row = _mm512_maskz_loadu_epi32(in, rows + b * kBlockRows);
    const __m512i word =
        _mm512_mask_i32gather_epi32(_mm512_setzero_si512(), in, _mm512_srli_epi32(row, 5), set, sizeof(int32_t));
    const __m512i bit = _mm512_sllv_epi32(_mm512_set1_epi32(1), _mm512_and_si512(row, _mm512_set1_epi32(31)));
    masks[b] = _mm512_mask_test_epi32_mask(in, word, bit);
  }
}

constexpr CodeKernels kAvx512{products_512, select_512, nearest_512, keep_above_512, masks_512};

#endif

}  // namespace

const CodeKernels& code_kernels(math::SimdLevel instructions) {
#if PAGODA_X86
  static const bool vnni = __builtin_cpu_supports("avx512vnni");
  return *math::PerSimdLevel<const CodeKernels*>{&kPortable, &kAvx2, vnni ? &kAvx512 : nullptr}.at(instructions);
#else
  return kPortable;
#endif
}

math::SimdLevel code_kernels_level() {
  const CodeKernels* const best = &code_kernels();
  if (best == &code_kernels(math::SimdLevel::portable)) return math::SimdLevel::portable;
  return best == &code_kernels(math::SimdLevel::avx2) ? math::SimdLevel::avx2 : math::SimdLevel::avx512;
}

const CodeKernels& code_kernels() { return code_kernels(math::best_simd_level()); }

}  // namespace pagoda::index
