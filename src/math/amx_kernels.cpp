#include "math/amx_kernels.h"

#include <algorithm>

#include "math/simd_dispatch.h"
#include "math/tile_kernels.h"

namespace pagoda::math {

const AmxKernels* best_amx_kernels() {
  return PerSimdLevel<const AmxKernels*>{.portable = nullptr, .amx = amx_kernels()}.best();
}

#if PAGODA_X86

PAGODA_BEGIN_AMX

namespace {

// Rows and columns of E that are at hand at once, in the first-level cache and the second's beginning: each product
// with it takes four steps to a load and a store of its sums.
constexpr size_t kRows = 128, kColumns = 128;

struct alignas(64) TileConfig {
  uint8_t palette = 1, start_row = 0, reserved[14] = {};
  uint16_t row_bytes[16] = {64, 64, 64, 64, 64, 64, 64, 64};
  uint8_t rows[16] = {16, 16, 16, 16, 16, 16, 16, 16};
};

// All tiles whole: 16 rows of 64 bytes. What a thread computed in them before is lost.
class WholeTiles {
 public:
  WholeTiles() {
    static constexpr TileConfig kWhole;  // not a variable: g++ knows of 8 bytes alone that the instruction reads
    _tile_loadconfig(&kWhole);
  }
  ~WholeTiles() { _tile_release(); }  // a switch to another thread then saves less
  WholeTiles(const WholeTiles&) = delete;
  WholeTiles& operator=(const WholeTiles&) = delete;
};

// Vectors are stored before tiles are loaded from there: g++ does not know that a load of a tile reads memory.
PAGODA_INLINE void settle_stores() { asm volatile("" ::: "memory"); }

PAGODA_INLINE void transpose(__m512i (&rows)[16]) {  // words of 32 bits
  __m512i a[16];
#pragma GCC unroll 8
  for (int i = 0; i < 16; i += 2) {
    a[i] = _mm512_unpacklo_epi32(rows[i], rows[i + 1]);
    a[i + 1] = _mm512_unpackhi_epi32(rows[i], rows[i + 1]);
  }
#pragma GCC unroll 4
  for (int i = 0; i < 16; i += 4)
#pragma GCC unroll 2
    for (int k = 0; k < 2; ++k) {
      rows[i + 2 * k] = _mm512_unpacklo_epi64(a[i + k], a[i + 2 + k]);
      rows[i + 2 * k + 1] = _mm512_unpackhi_epi64(a[i + k], a[i + 2 + k]);
    }
#pragma GCC unroll 4
  for (int k = 0; k < 4; ++k) {
    const __m512i low = _mm512_shuffle_i32x4(rows[k], rows[k + 4], 0x88);
    const __m512i low_odd = _mm512_shuffle_i32x4(rows[k], rows[k + 4], 0xdd);
    const __m512i high = _mm512_shuffle_i32x4(rows[k + 8], rows[k + 12], 0x88);
    const __m512i high_odd = _mm512_shuffle_i32x4(rows[k + 8], rows[k + 12], 0xdd);
    a[k] = _mm512_shuffle_i32x4(low, high, 0x88);
    a[k + 8] = _mm512_shuffle_i32x4(low, high, 0xdd);
    a[k + 4] = _mm512_shuffle_i32x4(low_odd, high_odd, 0x88);
    a[k + 12] = _mm512_shuffle_i32x4(low_odd, high_odd, 0xdd);
  }
#pragma GCC unroll 16
  for (int i = 0; i < 16; ++i) rows[i] = a[i];
}

// Numbers [d, d + 32) of row i times a factor, in bf16; 0 beyond the matrix.
PAGODA_INLINE __m512i numbers(MatrixView<const float> m, size_t i, size_t d, float factor) {
  if (i >= m.rows() || d >= m.cols()) return _mm512_setzero_si512();
  const size_t left = m.cols() - d;
  const auto mask = static_cast<uint32_t>(left >= 32 ? ~uint32_t{0} : (uint32_t{1} << left) - 1);
  const float* from = m[i] + d;
  const __m512 times = _mm512_set1_ps(factor);
  const __m512 low = _mm512_mul_ps(times, _mm512_maskz_loadu_ps(static_cast<__mmask16>(mask), from));
  const __m512 high = _mm512_mul_ps(times, _mm512_maskz_loadu_ps(static_cast<__mmask16>(mask >> 16), from + 16));
  return (__m512i)_mm512_cvtne2ps_pbh(high, low);
}

size_t round_up(size_t n) { return (n + kAmxStep - 1) / kAmxStep * kAmxStep; }

void pack_columns(MatrixView<const float> columns, uint16_t* by_column, uint16_t* by_dim) {
  const size_t n = round_up(columns.rows()), dim = round_up(columns.cols());
  alignas(64) uint16_t words[32];
  for (uint16_t k = 0; k < 32; ++k) words[k] = static_cast<uint16_t>(2 * k);
  const __m512i even = _mm512_load_si512(words), odd = _mm512_add_epi16(even, _mm512_set1_epi16(1));  // of two vectors
  for (size_t j = 0; j < n; j += 32)
    for (size_t d = 0; d < dim; d += 32) {
      __m512i pairs[2][16];
#pragma GCC unroll 2
      for (size_t half = 0; half < 2; ++half) {
        uint16_t* tile = by_column + ((j / 16 + half) * (dim / 32) + d / 32) * kAmxTileNumbers;
#pragma GCC unroll 16
        for (size_t i = 0; i < 16; ++i) {
          pairs[half][i] = numbers(columns, j + 16 * half + i, d, 1);
          _mm512_store_si512(tile + 32 * i, pairs[half][i]);
        }
        transpose(pairs[half]);
      }
      uint16_t* tiles = by_dim + (j / 32 * (dim / 16) + d / 16) * kAmxTileNumbers;  // two of them
#pragma GCC unroll 16
      for (size_t k = 0; k < 16; ++k) {
        _mm512_store_si512(tiles + 64 * k, _mm512_permutex2var_epi16(pairs[0][k], even, pairs[1][k]));
        _mm512_store_si512(tiles + 64 * k + 32, _mm512_permutex2var_epi16(pairs[0][k], odd, pairs[1][k]));
      }
    }
}

void pack_users(MatrixView<const float> users, float scale, uint16_t* out) {
  const size_t rows = round_up(users.rows()), dim = round_up(users.cols());
  for (size_t i = 0; i < rows; i += 16)
    for (size_t d = 0; d < dim; d += 32, out += kAmxTileNumbers) {
      __m512i pairs[16];
#pragma GCC unroll 16
      for (size_t k = 0; k < 16; ++k) pairs[k] = numbers(users, i + k, d, scale);
      transpose(pairs);
#pragma GCC unroll 16
      for (size_t k = 0; k < 16; ++k) _mm512_store_si512(out + 32 * k, pairs[k]);
    }
}

void pack_factored_users(MatrixView<const float> users, const float* factors, uint16_t* out) {
  const size_t rows = round_up(users.rows()), dim = round_up(users.cols());
  alignas(64) uint16_t words[32];
  for (uint16_t k = 0; k < 16; ++k) {
    words[2 * k] = k;
    words[2 * k + 1] = 32 + k;
  }
  const __m512i low = _mm512_load_si512(words), high = _mm512_add_epi16(low, _mm512_set1_epi16(16));
  const auto factor = [&](size_t i) { return i < users.rows() ? factors[i] : 0.0f; };
  for (size_t i = 0; i < rows; i += 32)
    for (size_t d = 0; d < dim; d += 32, out += 2 * kAmxTileNumbers)
      for (size_t k = 0; k < 16; ++k) {
        const __m512i x = numbers(users, i + 2 * k, d, factor(i + 2 * k));
        const __m512i y = numbers(users, i + 2 * k + 1, d, factor(i + 2 * k + 1));
        _mm512_store_si512(out + 32 * k, _mm512_permutex2var_epi16(x, low, y));
        _mm512_store_si512(out + kAmxTileNumbers + 32 * k, _mm512_permutex2var_epi16(x, high, y));
      }
}

// The tiles 0 to 3 of floats, which are two by two, at `at` and `stride` floats on.
PAGODA_INLINE void load_sums(const float* at, size_t stride) {
  _tile_loadd(0, at, 64);
  _tile_loadd(1, at + kAmxTileFloats, 64);
  _tile_loadd(2, at + stride, 64);
  _tile_loadd(3, at + stride + kAmxTileFloats, 64);
}

PAGODA_INLINE void zero_sums() {
  _tile_zero(0);
  _tile_zero(1);
  _tile_zero(2);
  _tile_zero(3);
}

PAGODA_INLINE void store_sums(float* at, size_t stride) {
  _tile_stored(0, at, 64);
  _tile_stored(1, at + kAmxTileFloats, 64);
  _tile_stored(2, at + stride, 64);
  _tile_stored(3, at + stride + kAmxTileFloats, 64);
}

// Sums += two tiles of the left operand by two of the right; strides in numbers.
PAGODA_INLINE void add_products(const uint16_t* left, size_t left_stride, const uint16_t* right, size_t right_stride) {
  _tile_loadd(4, left, 64);
  _tile_loadd(5, left + left_stride, 64);
  _tile_loadd(6, right, 64);
  _tile_loadd(7, right + right_stride, 64);
  _tile_dpbf16ps(0, 4, 6);
  _tile_dpbf16ps(1, 4, 7);
  _tile_dpbf16ps(2, 5, 6);
  _tile_dpbf16ps(3, 5, 7);
}

// <v_j, u_i> of 32 columns by 32 rows: two by two tiles of floats, a row of a tile for each column.
struct alignas(64) Logits {
  float values[4 * kAmxTileFloats];

  PAGODA_INLINE void compute(const AmxBlock& block, size_t i, size_t j) {
    const size_t stride = block.dim * 16;  // numbers of 16 rows
    const uint16_t *left = block.columns + j * block.dim, *right = block.users + i * block.dim;
    zero_sums();
    for (size_t k = 0; k < block.dim / 32; ++k)
      add_products(left + k * kAmxTileNumbers, stride, right + k * kAmxTileNumbers, stride);
    store_sums(values, 2 * kAmxTileFloats);
  }

  PAGODA_INLINE void mask(const AmxBlock& block, size_t i, size_t j) {
    const uint32_t* at = block.masked_at + i / 32 * block.masked_stride + j / 32;
    for (uint32_t k = at[0]; k < at[1]; ++k) {
      const size_t row = block.masked[k] / 32, column = block.masked[k] % 32;
      values[(column / 16 * 2 + row / 16) * kAmxTileFloats + column % 16 * 16 + row % 16] = kMaskedBias;
    }
  }

  PAGODA_INLINE const float* of_column(size_t j) const { return values + j / 16 * 2 * kAmxTileFloats + j % 16 * 16; }
};

// 2^x, 0 below 2^-100, with a relative error of 2^-13 before it is rounded.
PAGODA_INLINE __m512 power_of_two(__m512 x) {
  const __m512 r = _mm512_maskz_reduce_ps(0xffff, x, _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC);
  __m512 p = _mm512_fmadd_ps(_mm512_set1_ps(0.07802452f), r, _mm512_set1_ps(0.22606716f));
  p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(0.69583356f));
  p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(0.9999252f));
  return _mm512_maskz_scalef_ps(_mm512_cmp_ps_mask(x, _mm512_set1_ps(-100.0f), _CMP_GE_OQ), p, x);
}

// e of a column and 32 rows.
struct Powers {
  __m512 low, high;
};

PAGODA_INLINE Powers powers(const float* logits, float bias, __m512 low_shift, __m512 high_shift) {
  const __m512 b = _mm512_set1_ps(bias);
  return {power_of_two(_mm512_add_ps(_mm512_load_ps(logits), _mm512_sub_ps(b, low_shift))),
          power_of_two(_mm512_add_ps(_mm512_load_ps(logits + kAmxTileFloats), _mm512_sub_ps(b, high_shift)))};
}

// Calls f(j, logits) for 32 columns j of [begin, end) at a time. The products of the next ones are begun before, so
// that the tile unit works while f does.
template <class F>
PAGODA_INLINE void for_logits(const AmxBlock& block, size_t i, size_t begin, size_t end, F f) {
  Logits logits[2];
  logits[0].compute(block, i, begin);
  for (size_t j = begin, now = 0; j < end; j += 32, now ^= 1) {
    if (j + 32 < end) logits[now ^ 1].compute(block, i, j + 32);
    logits[now].mask(block, i, j);
    f(j, logits[now]);
  }
}

PAGODA_INLINE void add_to(double* to, __m512 x) {
  const __m512d low = _mm512_cvtps_pd(_mm512_castps512_ps256(x));
  const __m512d high = _mm512_cvtps_pd(_mm512_extractf32x8_ps(x, 1));
  _mm512_storeu_pd(to, _mm512_add_pd(_mm512_loadu_pd(to), low));
  _mm512_storeu_pd(to + 8, _mm512_add_pd(_mm512_loadu_pd(to + 8), high));
}

void exp2_sums(const AmxBlock& block, double* sums) {
  const WholeTiles whole;
  std::fill_n(sums, block.rows, 0.0);
  for (size_t begin = 0; begin < block.n; begin += kColumns)
    for (size_t i = 0; i < block.rows; i += 32) {
      const __m512 low_shift = _mm512_loadu_ps(block.shift + i), high_shift = _mm512_loadu_ps(block.shift + i + 16);
      __m512 low = _mm512_setzero_ps(), high = _mm512_setzero_ps();
      for_logits(block, i, begin, std::min(begin + kColumns, block.n), [&](size_t j, const Logits& logits) {
        for (size_t c = 0; c < 32; ++c) {
          const Powers e = powers(logits.of_column(c), block.bias[j + c], low_shift, high_shift);
          low = _mm512_add_ps(low, e.low);
          high = _mm512_add_ps(high, e.high);
        }
      });
      add_to(sums + i, low);
      add_to(sums + i + 16, high);
    }
}

// E of up to kRows rows and kColumns columns, and V^T E^T.
struct Workspace {
  Matrix<uint16_t> e{kRows / 32, kColumns * 32};  // a row for each group of 32 rows of U: [columns / 16] tiles
  Matrix<uint16_t> pairs{1, kColumns * 32};       // of one group, pairs of columns: [columns / 32][2] tiles
  Matrix<float> d_users;                          // a row for each group of 32 rows: [D / 16][2] tiles
};

// The unpacking of two rows of 32 interleaves their quarters, so it puts rows of U into this order.
constexpr size_t row_of_lane(size_t lane) { return lane / 4 * 8 + lane % 4; }

PAGODA_INLINE void write_powers(const Logits& logits, const float* bias, __m512 low_shift, __m512 high_shift,
                                uint16_t* e, uint16_t* pairs) {
  for (size_t c = 0; c < 32; c += 2) {
    const Powers a = powers(logits.of_column(c), bias[c], low_shift, high_shift);
    const Powers b = powers(logits.of_column(c + 1), bias[c + 1], low_shift, high_shift);
    const auto x = (__m512i)_mm512_cvtne2ps_pbh(a.high, a.low), y = (__m512i)_mm512_cvtne2ps_pbh(b.high, b.low);
    _mm512_store_si512(e + 32 * c, x);
    _mm512_store_si512(e + 32 * c + 32, y);
    _mm512_store_si512(pairs + 16 * c, _mm512_unpacklo_epi16(x, y));
    _mm512_store_si512(pairs + kAmxTileNumbers + 16 * c, _mm512_unpackhi_epi16(x, y));
  }
}

// V^T E^T of 32 rows of U, tiles [D / 16][2] -> rows of E V.
PAGODA_INLINE void write_rows(const float* tiles, size_t dim, float* out) {
  for (size_t t = 0; t < dim / 16 * 2; ++t, tiles += kAmxTileFloats) {
    __m512i words[16];
#pragma GCC unroll 16
    for (size_t d = 0; d < 16; ++d) words[d] = _mm512_load_si512(tiles + 16 * d);
    transpose(words);
    float* const of_tile = out + t % 2 * 4 * dim + t / 2 * 16;
#pragma GCC unroll 16
    for (size_t lane = 0; lane < 16; ++lane) _mm512_storeu_si512(of_tile + row_of_lane(lane) * dim, words[lane]);
  }
}

void exp2_products(const AmxBlock& block, const uint16_t* by_dim, const uint16_t* factored_users, size_t constant_begin,
                   size_t constant_end, float* d_users, float* d_columns) {
  const WholeTiles whole;
  const size_t dim = block.dim;
  static thread_local Workspace work;  // a tenth of a call would go to memory that is new
  work.d_users.resize(kRows / 32, 32 * dim);
  for (size_t first = 0; first < block.rows; first += kRows) {
    const size_t groups = std::min(kRows, block.rows - first) / 32;
    for (size_t begin = 0; begin < block.n; begin += kColumns) {
      const size_t end = std::min(begin + kColumns, block.n);
      for (size_t g = 0; g < groups; ++g) {
        const size_t i = first + 32 * g;
        const __m512 low_shift = _mm512_loadu_ps(block.shift + i), high_shift = _mm512_loadu_ps(block.shift + i + 16);
        for_logits(block, i, begin, end, [&](size_t j, const Logits& logits) {
          const size_t at = (j - begin) * 32;
          write_powers(logits, block.bias + j, low_shift, high_shift, work.e[g] + at, work.pairs.data() + at);
        });
        settle_stores();
        for (size_t d = 0; d < dim; d += 32) {
          float* const sums = work.d_users[g] + d * 32;
          if (begin == 0)
            zero_sums();
          else
            load_sums(sums, 2 * kAmxTileFloats);
          for (size_t j = begin; j < end; j += 32)
            add_products(by_dim + j * dim + d * 32, kAmxTileNumbers, work.pairs.data() + (j - begin) * 32,
                         kAmxTileNumbers);
          store_sums(sums, 2 * kAmxTileFloats);
        }
      }
      for (size_t j = begin; j < end; j += 32) {
        if (j >= constant_begin && j + 32 <= constant_end) continue;
        for (size_t d = 0; d < dim; d += 32) {
          float* const sums = d_columns + j * dim + d * 16;
          load_sums(sums, 16 * dim);
          for (size_t g = 0; g < groups; ++g)
            add_products(work.e[g] + (j - begin) * 32, kAmxTileNumbers,
                         factored_users + (first + 32 * g) * dim + d * 32, kAmxTileNumbers);
          store_sums(sums, 16 * dim);
        }
      }
    }
    settle_stores();
    for (size_t g = 0; g < groups; ++g) write_rows(work.d_users[g], dim, d_users + (first + 32 * g) * dim);
  }
}

constexpr AmxKernels kKernels{pack_columns, pack_users, pack_factored_users, exp2_sums, exp2_products};

}  // namespace

PAGODA_END_SIMD

const AmxKernels* amx_kernels() { return &kKernels; }

#else

const AmxKernels* amx_kernels() { return nullptr; }

#endif

}  // namespace pagoda::math
