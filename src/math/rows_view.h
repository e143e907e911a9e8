// Rows of vectors as they are stored, in memory or in a mapped file: as floats, or in half the space as f16 (IEEE 754
// binary16: 11 bits of precision, up to 65504). bf16 is not precise enough: with its 8 bits, the best of a hundred
// million rows change their order.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <vector>

#include "math/matrix.h"

namespace pagoda::math {

enum class RowPrecision { f32, f16 };
inline constexpr float kLargestF16 = 65504;

#if defined(__aarch64__) && !defined(__clang__) && __GNUC__ < 13
using Binary16 = __fp16;  // g++ 12 for ARM has no _Float16 in C++
#else
using Binary16 = _Float16;
#endif

inline uint16_t to_f16(float x) {  // to nearest, ties to even
  return std::bit_cast<uint16_t>(static_cast<Binary16>(x));
}
void widen_f16(const uint16_t* f16, size_t n, float* out);  // exact

// Borrows the rows, as MatrixView does. Computations read a row as floats, which hold every f16 exactly.
class RowsView {
 public:
  RowsView() = default;
  RowsView(MatrixView<const float> rows) : f32_(rows) {}
  RowsView(MatrixView<float> rows) : f32_(rows) {}
  RowsView(const Matrix<float>& rows) : f32_(rows) {}
  explicit RowsView(MatrixView<const uint16_t> rows) : f16_(rows), precision_(RowPrecision::f16) {}

  RowPrecision precision() const { return precision_; }
  size_t rows() const { return precision_ == RowPrecision::f32 ? f32_.rows() : f16_.rows(); }
  size_t cols() const { return precision_ == RowPrecision::f32 ? f32_.cols() : f16_.cols(); }
  size_t row_bytes() const { return cols() * (precision_ == RowPrecision::f32 ? sizeof(float) : sizeof(uint16_t)); }

  // The rows themselves, if they are stored in that precision.
  MatrixView<const float> f32() const { return f32_; }
  MatrixView<const uint16_t> f16() const { return f16_; }

  // `out` has room for cols().
  void read(size_t row, float* out) const {
    if (precision_ == RowPrecision::f32)
      std::copy_n(f32_[row], f32_.cols(), out);
    else
      widen_f16(f16_[row], f16_.cols(), out);
  }
  std::vector<float> row(size_t r) const {
    std::vector<float> values(cols());
    read(r, values.data());
    return values;
  }
  // Prefetches a row.
  void prefetch(size_t row) const {
    const auto* bytes = precision_ == RowPrecision::f32 ? reinterpret_cast<const char*>(f32_[row])
                                                        : reinterpret_cast<const char*>(f16_[row]);
    for (size_t at = 0; at < row_bytes(); at += 64) __builtin_prefetch(bytes + at, 0, 2);
  }
  RowsView slice_rows(size_t begin, size_t end) const {
    return precision_ == RowPrecision::f32 ? RowsView(f32_.slice_rows(begin, end))
                                           : RowsView(f16_.slice_rows(begin, end));
  }

 private:
  MatrixView<const float> f32_;
  MatrixView<const uint16_t> f16_;
  RowPrecision precision_ = RowPrecision::f32;
};

// All rows as floats: the rows themselves, or a copy in `room` if they are stored as f16.
inline MatrixView<const float> as_floats(RowsView rows, Matrix<float>& room) {
  if (rows.precision() == RowPrecision::f32) return rows.f32();
  room.resize(rows.rows(), rows.cols());
  for (size_t row = 0; row < rows.rows(); ++row) rows.read(row, room[row]);
  return std::as_const(room);
}

}  // namespace pagoda::math
