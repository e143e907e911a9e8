#include "model/stored_vectors.h"

#include <algorithm>
#include <atomic>
#include <cmath>

#include "core/log.h"
#include "data/vector_parquet.h"

namespace pagoda::model {

namespace {

constexpr double kMostLength = 1e30;
constexpr float kLeastF16 = 0x1p-24f;

// In double, which holds the square of any float.
double length_of(std::span<const float> row) {
  double squared = 0;
  for (const double x : row) squared += x * x;
  return std::sqrt(squared);
}

}  // namespace

StoredVectors::StoredVectors(ThreadPool& pool, const std::string& name, math::RowsView from, const StorageFormat& form,
                             const std::string& folder)
    : rows_(from) {
  constexpr size_t kChunk = 4096;
  const size_t n = from.rows(), dim = from.cols();
  const bool half = form.precision == math::RowPrecision::f16,
             copied = form.unit_length || from.precision() != form.precision;
  if (copied) memory_ = math::allocate_in_file(n * dim * (half ? sizeof(uint16_t) : sizeof(float)), folder.c_str());
  const math::MatrixView<float> floats(static_cast<float*>(memory_.get()), n, dim);
  const math::MatrixView<uint16_t> halves(static_cast<uint16_t*>(memory_.get()), n, dim);
  std::atomic<size_t> zeros = 0;
  pool.for_chunks(n, kChunk, [&](size_t begin, size_t end) {
    std::vector<float> row(dim);
    for (size_t r = begin; r < end; ++r) {
      from.read(r, row.data());
      data::check_finite(name, r, row);
      const double length = length_of(row);
      if (length == 0) ++zeros;
      if (length > kMostLength && !form.unit_length)
        fail(ErrorKind::input,
             "{}: row {} (from 0) has the length {:.3g}: products with vectors beyond {:g} leave the range of floats; "
             "multiply all vectors by one number, which changes no order",
             name, r, length, kMostLength);
      if (!copied) continue;
      if (form.unit_length && length > 0)
        for (float& x : row) x = static_cast<float>(x / length);
      const auto too_large = std::ranges::find_if(row, [](float x) { return std::abs(x) > math::kLargestF16; });
      if (half && too_large != row.end())
        fail(ErrorKind::input,
             "{}: component {} of row {} (both from 0) is {}: f16 ends at {}; store them with --precision f32", name,
             too_large - row.begin(), r, *too_large, math::kLargestF16);
      if (half && length > 0 && std::ranges::all_of(row, [](float x) { return std::abs(x) < kLeastF16; }))
        fail(ErrorKind::input,
             "{}: all components of row {} (from 0) are below {}, where f16 ends; store them with --precision f32",
             name, r, kLeastF16);
      if (half)
        std::transform(row.begin(), row.end(), halves[r], math::to_f16);
      else
        std::copy(row.begin(), row.end(), floats[r]);
    }
  });
  if (zeros > 0)
    log_warning("{}: {} of {} vectors are all zeros: they score 0 with every query", name, zeros.load(), n);
  if (copied) rows_ = half ? math::RowsView(math::MatrixView<const uint16_t>(halves)) : math::RowsView(floats);
}

}  // namespace pagoda::model
