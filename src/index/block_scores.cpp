#include "index/block_scores.h"

#include <algorithm>
#include <array>
#include <vector>

#include "core/error.h"
#include "math/simd_dispatch.h"

namespace pagoda::index {
namespace {

constexpr size_t kLanes = ItemBlock::kLanes;
// Half a row of a panel, as GCC's vector type: one AVX-512 register, two AVX2 or four SSE registers.
typedef float Lanes __attribute__((vector_size(kLanes / 2 * sizeof(float)), may_alias));

// Scores all panels of a block against Tile queries, whose sums stay in registers.
template <int Tile>
PAGODA_INLINE void score_tile(const float* queries, size_t query_stride, const float* panel, size_t panels, size_t dim,
                              float* scores, size_t score_stride) {
  for (size_t p = 0; p < panels; ++p, panel += dim * kLanes) {
    Lanes low[Tile] = {}, high[Tile] = {};
    for (size_t d = 0; d < dim; ++d) {
      const auto* v = reinterpret_cast<const Lanes*>(panel + d * kLanes);
      for (int q = 0; q < Tile; ++q) {
        const float x = queries[q * query_stride + d];
        low[q] += x * v[0];
        high[q] += x * v[1];
      }
    }
    for (int q = 0; q < Tile; ++q) {
      auto* s = reinterpret_cast<Lanes*>(scores + q * score_stride + p * kLanes);
      s[0] = low[q];
      s[1] = high[q];
    }
  }
}

template <int Tile>
PAGODA_INLINE void score_queries(const float* queries, size_t rows, size_t query_stride, const float* panels,
                                 size_t n_panels, size_t dim, float* scores, size_t score_stride) {
  size_t q = 0;
  for (; q + Tile <= rows; q += Tile)
    score_tile<Tile>(queries + q * query_stride, query_stride, panels, n_panels, dim, scores + q * score_stride,
                     score_stride);
  for (; q < rows; ++q)
    score_tile<1>(queries + q * query_stride, query_stride, panels, n_panels, dim, scores + q * score_stride,
                  score_stride);
}

// Each instruction set has the tile that fits its registers.
using Kernel = void (*)(const float*, size_t, size_t, const float*, size_t, size_t, float*, size_t);
#if PAGODA_X86
PAGODA_AVX512 void score_v4(const float* q, size_t rows, size_t q_stride, const float* panels, size_t n, size_t dim,
                            float* s, size_t s_stride) {
  score_queries<8>(q, rows, q_stride, panels, n, dim, s, s_stride);
}
PAGODA_AVX2 void score_v3(const float* q, size_t rows, size_t q_stride, const float* panels, size_t n, size_t dim,
                          float* s, size_t s_stride) {
  score_queries<2>(q, rows, q_stride, panels, n, dim, s, s_stride);
}
#endif
void score_any(const float* q, size_t rows, size_t q_stride, const float* panels, size_t n, size_t dim, float* s,
               size_t s_stride) {
  score_queries<1>(q, rows, q_stride, panels, n, dim, s, s_stride);
}

#if PAGODA_X86
constexpr math::PerSimdLevel<Kernel> kKernels{score_any, score_v3, score_v4};
#else
constexpr math::PerSimdLevel<Kernel> kKernels{score_any};
#endif

// panel[d][lane] = lanes[lane][d], in squares of 4 x 4.
void transpose(const std::array<const float*, kLanes>& lanes, size_t dim, float* panel) {
  typedef float Four __attribute__((vector_size(16), aligned(4), may_alias));
  const size_t whole = dim / 4 * 4;
  for (size_t lane = 0; lane < kLanes; lane += 4) {
    const float *a = lanes[lane], *b = lanes[lane + 1], *c = lanes[lane + 2], *e = lanes[lane + 3];
    for (size_t d = 0; d < whole; d += 4) {
      const auto a4 = *reinterpret_cast<const Four*>(a + d), b4 = *reinterpret_cast<const Four*>(b + d);
      const auto c4 = *reinterpret_cast<const Four*>(c + d), e4 = *reinterpret_cast<const Four*>(e + d);
      const auto ab_low = __builtin_shufflevector(a4, b4, 0, 4, 1, 5),
                 ab_high = __builtin_shufflevector(a4, b4, 2, 6, 3, 7);
      const auto ce_low = __builtin_shufflevector(c4, e4, 0, 4, 1, 5),
                 ce_high = __builtin_shufflevector(c4, e4, 2, 6, 3, 7);
      float* to = panel + d * kLanes + lane;
      *reinterpret_cast<Four*>(to) = __builtin_shufflevector(ab_low, ce_low, 0, 1, 4, 5);
      *reinterpret_cast<Four*>(to + kLanes) = __builtin_shufflevector(ab_low, ce_low, 2, 3, 6, 7);
      *reinterpret_cast<Four*>(to + 2 * kLanes) = __builtin_shufflevector(ab_high, ce_high, 0, 1, 4, 5);
      *reinterpret_cast<Four*>(to + 3 * kLanes) = __builtin_shufflevector(ab_high, ce_high, 2, 3, 6, 7);
    }
  }
  for (size_t d = whole; d < dim; ++d)
    for (size_t lane = 0; lane < kLanes; ++lane) panel[d * kLanes + lane] = lanes[lane][d];
}

template <class T>
inline void fetch(math::MatrixView<const T> vectors, uint32_t row) {
  for (size_t d = 0; d < vectors.cols(); d += 64 / sizeof(T)) __builtin_prefetch(vectors[row] + d, 0, 2);
}

#if PAGODA_X86
PAGODA_AVX512 inline __m512 load(__mmask16 in, const float* x) { return _mm512_maskz_loadu_ps(in, x); }
PAGODA_AVX512 inline __m512 load(__mmask16 in, const uint16_t* f16) {
  return _mm512_cvtph_ps(_mm256_maskz_loadu_epi16(in, f16));
}

// Scores 16 rows at a time, transposed in registers in squares of 16 x 16. Lanes past the last row repeat it and are
// not written.
template <class T>
PAGODA_AVX512 void score_rows_v4(math::MatrixView<const T> vectors, std::span<const uint32_t> rows,
                                 std::span<const float> query, float* scores) {
  constexpr size_t kRows = 16;
  const size_t dim = query.size();
  for (size_t begin = 0; begin < rows.size(); begin += kRows) {
    const size_t n = std::min(kRows, rows.size() - begin);
    const T* row[kRows];
    for (size_t i = 0; i < kRows; ++i) row[i] = vectors[rows[begin + std::min(i, n - 1)]];
    for (size_t i = begin + n; i < std::min(rows.size(), begin + 2 * kRows); ++i) fetch(vectors, rows[i]);
    __m512 sum = _mm512_setzero_ps();
    for (size_t d = 0; d < dim; d += 16) {
      const size_t width = std::min<size_t>(16, dim - d);
      const auto in = static_cast<__mmask16>((1u << width) - 1);
      __m512 a[16], b[16];
      for (size_t i = 0; i < 16; ++i) a[i] = load(in, row[i] + d);
      for (size_t i = 0; i < 16; i += 2) {
        b[i] = _mm512_unpacklo_ps(a[i], a[i + 1]);
        b[i + 1] = _mm512_unpackhi_ps(a[i], a[i + 1]);
      }
      for (size_t i = 0; i < 16; i += 4)
        for (size_t j = 0; j < 2; ++j) {
          const __m512d low = _mm512_castps_pd(b[i + j]), high = _mm512_castps_pd(b[i + j + 2]);
          a[i + 2 * j] = _mm512_castpd_ps(_mm512_unpacklo_pd(low, high));
          a[i + 2 * j + 1] = _mm512_castpd_ps(_mm512_unpackhi_pd(low, high));
        }
      // a[4 r + c]: in quarter l, components 4 l + c of rows 4 r .. 4 r + 3.
      for (size_t c = 0; c < 4; ++c) {
        b[c] = _mm512_shuffle_f32x4(a[c], a[4 + c], 0x88);
        b[4 + c] = _mm512_shuffle_f32x4(a[c], a[4 + c], 0xdd);
        b[8 + c] = _mm512_shuffle_f32x4(a[8 + c], a[12 + c], 0x88);
        b[12 + c] = _mm512_shuffle_f32x4(a[8 + c], a[12 + c], 0xdd);
      }
      for (size_t c = 0; c < 4; ++c) {
        a[c] = _mm512_shuffle_f32x4(b[c], b[8 + c], 0x88);
        a[8 + c] = _mm512_shuffle_f32x4(b[c], b[8 + c], 0xdd);
        a[4 + c] = _mm512_shuffle_f32x4(b[4 + c], b[12 + c], 0x88);
        a[12 + c] = _mm512_shuffle_f32x4(b[4 + c], b[12 + c], 0xdd);
      }
      if (width == 16) {
        for (size_t j = 0; j < 16; ++j) sum = _mm512_fmadd_ps(_mm512_set1_ps(query[d + j]), a[j], sum);
      } else {
        for (size_t j = 0; j < width; ++j) sum = _mm512_fmadd_ps(_mm512_set1_ps(query[d + j]), a[j], sum);
      }
    }
    _mm512_mask_storeu_ps(scores + begin, static_cast<__mmask16>((1u << n) - 1), sum);
  }
}
#endif

}  // namespace

void score_rows(math::RowsView vectors, std::span<const uint32_t> rows, std::span<const float> query, float* scores) {
  check(query.size() == vectors.cols(), "the query is as wide as the vectors");
#if PAGODA_X86
  if (math::best_simd_level() >= math::SimdLevel::avx512)
    return vectors.precision() == math::RowPrecision::f32 ? score_rows_v4(vectors.f32(), rows, query, scores)
                                                          : score_rows_v4(vectors.f16(), rows, query, scores);
#endif
  ItemBlock block;
  math::Matrix<float> panel(1, kLanes);
  for (size_t begin = 0; begin < rows.size(); begin += kLanes) {
    const size_t n = std::min(kLanes, rows.size() - begin);
    for (size_t i = begin + n; i < std::min(rows.size(), begin + 2 * kLanes); ++i) vectors.prefetch(rows[i]);
    block.fill(vectors, rows.data() + begin, n);
    block.score({query.data(), 1, query.size()}, panel);
    std::copy_n(panel.data(), n, scores + begin);
  }
}

template <class RowOf>
void ItemBlock::fill_rows(math::RowsView vectors, size_t n, RowOf row_of) {
  items_ = n;
  dim_ = vectors.cols();
  const size_t panels = (n + kLanes - 1) / kLanes;
  panels_.resize(panels * dim_, kLanes);
  std::array<const float*, kLanes> lanes;
  const std::vector<float> zeros(dim_);
  const bool in_place = vectors.precision() == math::RowPrecision::f32;
  math::Matrix<float> read(in_place ? 0 : kLanes, dim_);
  for (size_t p = 0; p < panels; ++p) {
    for (size_t lane = 0; lane < kLanes; ++lane) {
      const size_t item = p * kLanes + lane;
      if (item < n && !in_place) vectors.read(row_of(item), read[lane]);
      lanes[lane] = item >= n ? zeros.data() : in_place ? vectors.f32()[row_of(item)] : read[lane];
    }
    transpose(lanes, dim_, panels_[p * dim_]);
  }
}

void ItemBlock::fill(math::RowsView vectors, size_t first_row, size_t n) {
  fill_rows(vectors, n, [&](size_t i) { return first_row + i; });
}

void ItemBlock::fill(math::RowsView vectors, const uint32_t* rows, size_t n) {
  fill_rows(vectors, n, [&](size_t i) { return rows[i]; });
}

void ItemBlock::score(math::MatrixView<const float> queries, math::MatrixView<float> scores) const {
  const size_t panels = (items_ + kLanes - 1) / kLanes;
  check(queries.cols() == dim_ && scores.rows() >= queries.rows() && scores.cols() >= panels * kLanes &&
            scores.stride() % kLanes == 0,
        "the scores' shape fits queries and block");
  kKernels.best()(queries.data(), queries.rows(), queries.stride(), panels_.data(), panels, dim_, scores.data(),
                  scores.stride());
}

}  // namespace pagoda::index
