#include <algorithm>
#include <chrono>
#include <cmath>

#include "core/error.h"
#include "core/log.h"
#include "core/rng.h"
#include "index/clustering.h"
#include "index/code_kernels.h"
#include "index/partitioned_index.h"
#include "index/rotation.h"
#include "math/gemm.h"
#include "math/kernels.h"

namespace pagoda::index {
namespace {

constexpr size_t kChunk = 2048;         // rows that are rotated together
constexpr size_t kSamplePerList = 128;  // rows that k-means reads
constexpr size_t kMinRowsPerList = 32;
// Bounds of the longest vector's length. Within them its codes and its products with a query of length 1 are floats of
// full precision.
constexpr float kMinLength = 1e-30f, kMaxLength = 1e30f;
constexpr size_t kMaxCalibrationQueries = 256;  // more are left out

// The memory that Partitions views.
struct PartitionStorage {
  math::Matrix<float> rotation;
  std::vector<uint8_t> centroids;
  std::vector<float> scales, stddevs;
  std::vector<uint32_t> counts;
  math::Matrix<uint8_t> codes;  // [blocks, bytes of one]
  std::vector<uint32_t> rows;
};

size_t number_of_lists(size_t items, int64_t wanted) {
  const size_t max_lists = std::max<size_t>(1, items / kMinRowsPerList);
  if (wanted > 0) return std::min<size_t>(static_cast<size_t>(wanted), std::max<size_t>(1, items));
  const auto usual = static_cast<size_t>(4 * std::sqrt(static_cast<double>(items)));
  return std::clamp<size_t>((usual + kBlockRows - 1) / kBlockRows * kBlockRows, 1, max_lists);
}

// rotated [n, D] = rows `row_of(0..n)` of vectors, times the transposed rotation.
template <class RowOf>
void rotate_rows(math::RowsView vectors, size_t n, RowOf row_of, const math::Matrix<float>& rotation,
                 math::Matrix<float>& gathered, math::Matrix<float>& rotated) {
  gathered.resize(n, vectors.cols());
  rotated.resize(n, vectors.cols());
  for (size_t i = 0; i < n; ++i) vectors.read(row_of(i), gathered[i]);
  math::gemm(math::Op::none, math::Op::transpose, 1.0f, gathered, rotation, 0.0f, rotated);
}

template <class RowOf>
Sq8Codes unit_codes(ThreadPool& pool, math::RowsView vectors, size_t n, RowOf row_of,
                    const math::Matrix<float>& rotation) {
  Sq8Codes units;
  units.resize(n, vectors.cols());
  pool.for_chunks(n, kChunk, [&](size_t begin, size_t end) {
    math::Matrix<float> gathered, rotated;
    rotate_rows(vectors, end - begin, [&](size_t i) { return row_of(begin + i); }, rotation, gathered, rotated);
    for (size_t i = begin; i < end; ++i) units.set(i, rotated.row(i - begin));
  });
  return units;
}

void check_finite(ThreadPool& pool, math::RowsView vectors, size_t first_row) {
  pool.for_chunks(vectors.rows(), kChunk, [&](size_t begin, size_t end) {
    std::vector<float> values(vectors.cols());
    for (size_t row = begin; row < end; ++row) {
      vectors.read(row, values.data());
      if (!std::all_of(values.begin(), values.end(), [](float x) { return std::isfinite(x); }))
        fail(ErrorKind::input, "the vector of item row {} has a component that is not finite, so it cannot be indexed",
             first_row + row);
    }
  });
}

// Logs at the end of each stage what was done, and how long it took.
class StageLog {
 public:
  void end(const std::string& what) {
    const auto now = Clock::now();
    log_info("index: {}, {:.1f} s", what, std::chrono::duration<double>(now - begin_).count());
    begin_ = now;
  }

 private:
  using Clock = std::chrono::steady_clock;
  Clock::time_point begin_ = Clock::now();
};

// Items are read in segments, in order of their rows, so that memory is bounded and a mapped file is read sequentially.
constexpr size_t kSegmentRows = 1 << 20;

// The list of each item.
std::vector<uint32_t> assign(ThreadPool& pool, math::RowsView vectors, const math::Matrix<float>& rotation,
                             const Centroids& centroids) {
  std::vector<uint32_t> list_of;
  list_of.reserve(vectors.rows());
  for (size_t begin = 0; begin < vectors.rows(); begin += kSegmentRows) {
    const size_t n = std::min(kSegmentRows, vectors.rows() - begin);
    check_finite(pool, vectors.slice_rows(begin, begin + n), begin);
    const auto units = unit_codes(pool, vectors, n, [&](size_t i) { return begin + i; }, rotation);
    const auto nearest = nearest_centroids(pool, units, centroids);
    list_of.insert(list_of.end(), nearest.begin(), nearest.end());
  }
  return list_of;
}

// For each segment in turn, calls f(list, the list's rows in the segment, first row of the segment, the rotated
// segment) for every list with rows in it, in parallel. A list gets its rows in ascending order.
template <class F>
void for_each_list(ThreadPool& pool, math::RowsView vectors, std::span<const uint32_t> list_of, size_t lists,
                   const math::Matrix<float>& rotation, F&& f) {
  constexpr size_t kLists = 64;  // of a task
  math::Matrix<float> rotated;
  for (size_t begin = 0; begin < vectors.rows(); begin += kSegmentRows) {
    const size_t n = std::min(kSegmentRows, vectors.rows() - begin);
    rotated.resize(n, vectors.cols());
    pool.for_chunks(n, kChunk, [&](size_t first, size_t last) {
      math::Matrix<float> read(last - first, vectors.cols());
      for (size_t i = first; i < last; ++i) vectors.read(begin + i, read[i - first]);
      auto part = math::MatrixView<float>(rotated).slice_rows(first, last);
      math::gemm(math::Op::none, math::Op::transpose, 1.0f, read, rotation, 0.0f, part);
    });
    const auto grouped = group_by_list(list_of.subspan(begin, n), lists);
    pool.for_chunks(lists, kLists, [&](size_t first, size_t last) {
      for (size_t l = first; l < last; ++l) {
        const auto rows = std::span(grouped.rows).subspan(grouped.starts[l], grouped.starts[l + 1] - grouped.starts[l]);
        if (!rows.empty()) f(l, rows, begin, rotated);
      }
    });
  }
}

// Sums and maxima over the rows of a list.
struct ListErrors {
  double squared_error = 0, squared_length = 0, about_mean = 0;
  float largest_error = 0, largest_length = 0;
};

void fill_lists(ThreadPool& pool, math::RowsView vectors, std::span<const uint32_t> list_of, PartitionStorage& owner,
                Partitions& p) {
  const size_t dim = vectors.cols(), groups = code_groups(dim);
  owner.scales.assign(p.lists, 0);
  owner.stddevs.assign(p.lists, 0);
  owner.counts.assign(p.lists, 0);
  for (const uint32_t l : list_of) ++owner.counts[l];
  p.counts = owner.counts;
  p.find_first_blocks();
  const size_t blocks = p.first_block.back();
  check(blocks * kBlockRows <= UINT32_MAX, "positions fit in 32 bits");
  owner.codes.resize(blocks, block_bytes(groups));
  owner.rows.assign(blocks * kBlockRows, 0);

  math::Matrix<double> means(p.lists, dim);
  means.fill(0);
  std::vector<float> largest_component(p.lists);
  for_each_list(pool, vectors, list_of, p.lists, owner.rotation,
                [&](size_t l, std::span<const uint32_t> rows, size_t, const math::Matrix<float>& rotated) {
                  for (const uint32_t row : rows)
                    for (size_t d = 0; d < dim; ++d) {
                      means[l][d] += rotated[row][d];
                      largest_component[l] = std::max(largest_component[l], std::abs(rotated[row][d]));
                    }
                });
  for (size_t l = 0; l < p.lists; ++l) {
    owner.scales[l] = largest_component[l] / kLargestCode;
    for (size_t d = 0; d < dim; ++d) means[l][d] /= std::max(1.0, static_cast<double>(owner.counts[l]));
  }

  std::vector<ListErrors> errors(p.lists);
  std::vector<uint32_t> placed(p.lists);
  for_each_list(pool, vectors, list_of, p.lists, owner.rotation,
                [&](size_t l, std::span<const uint32_t> rows, size_t first_row, const math::Matrix<float>& rotated) {
                  const float scale = owner.scales[l];
                  auto& sums = errors[l];
                  std::vector<int8_t> codes(4 * groups);
                  for (const uint32_t row : rows) {
                    const auto v = rotated.row(row);
                    quantize(v, scale > 0 ? 1 / scale : 0, codes.data());
                    const size_t at = placed[l]++;
                    pack_codes(codes.data(), groups, at, owner.codes[p.first_block[l]]);
                    owner.rows[p.first_block[l] * kBlockRows + at] = static_cast<uint32_t>(first_row + row);
                    double error = 0, length = 0;
                    for (size_t d = 0; d < dim; ++d) {
                      const double e = v[d] - double{scale} * codes[d], m = double{v[d]} - means[l][d];
                      error += e * e;
                      length += double{v[d]} * v[d];
                      sums.about_mean += m * m;
                    }
                    sums.squared_error += error;
                    sums.squared_length += length;
                    sums.largest_error = std::max(sums.largest_error, static_cast<float>(std::sqrt(error)));
                    sums.largest_length = std::max(sums.largest_length, static_cast<float>(std::sqrt(length)));
                  }
                });
  for (size_t l = 0; l < p.lists; ++l)
    if (owner.counts[l] > 0)
      owner.stddevs[l] =
          static_cast<float>(std::sqrt(errors[l].about_mean / static_cast<double>(owner.counts[l] * dim)));

  math::Matrix<float> centroids(p.lists, dim);
  std::transform(means.begin(), means.end(), centroids.begin(), [](double x) { return static_cast<float>(x); });
  float largest = 0;
  for (const float x : centroids) largest = std::max(largest, std::abs(x));
  p.centroid_scale = largest / kLargestCode;
  owner.centroids.assign(blocks_of(p.lists) * block_bytes(groups), 128);
  std::vector<int8_t> codes(4 * groups);
  for (size_t l = 0; l < p.lists; ++l) {
    quantize(centroids.row(l), p.centroid_scale > 0 ? 1 / p.centroid_scale : 0, codes.data());
    pack_codes(codes.data(), groups, l, owner.centroids.data());
  }
  ListErrors all;
  for (const auto& e : errors) {
    all.squared_error += e.squared_error;
    all.squared_length += e.squared_length;
    all.largest_error = std::max(all.largest_error, e.largest_error);
    all.largest_length = std::max(all.largest_length, e.largest_length);
  }
  const float length = all.largest_length;
  if (length > 0 && !(length >= kMinLength && length <= kMaxLength))
    fail(ErrorKind::input,
         "the longest vector has the length {:.3g}: a partitioned index takes lengths from {:g} to {:g}; multiply all "
         "vectors by one "
         "number, which changes no order",
         length, kMinLength, kMaxLength);
  const auto n = static_cast<double>(std::max<size_t>(1, vectors.rows()));
  p.largest_error = all.largest_error;
  p.largest_length = all.largest_length;
  p.usual_error = static_cast<float>(std::sqrt(all.squared_error / n));
  p.usual_length = static_cast<float>(std::sqrt(all.squared_length / n));
}

}  // namespace

Partitions build_partitions(ThreadPool& pool, math::RowsView vectors, const PartitionedOptions& options,
                            math::MatrixView<const float> calibration_queries) {
  if (options.lists < 0) fail(ErrorKind::usage, "lists = {} must be at least 0", options.lists);
  if (options.iterations < 1) fail(ErrorKind::usage, "iterations = {} must be at least 1", options.iterations);
  if (!(options.recall > 0 && options.recall <= 1))
    fail(ErrorKind::usage, "recall = {} must be above 0 and at most 1", options.recall);
  if (options.k < 1) fail(ErrorKind::usage, "k = {} must be at least 1", options.k);
  check(vectors.rows() < UINT32_MAX, "item rows fit in 32 bits");
  check(calibration_queries.rows() == 0 || calibration_queries.cols() == vectors.cols(),
        "calibration queries are as wide as the items");

  Partitions p;
  p.items = vectors.rows();
  p.dim = vectors.cols();
  p.seed = options.seed;
  p.recall = options.recall;
  p.k = static_cast<uint64_t>(options.k);
  p.lists = number_of_lists(vectors.rows(), options.lists);
  StageLog stage;
  const auto owner = std::make_shared<PartitionStorage>();
  owner->rotation = random_rotation(p.dim, options.seed);
  std::vector<uint32_t> list_of;
  if (p.items > 0) {
    // The sample takes one row from each of equal ranges of rows.
    const size_t sample = std::min<size_t>(p.items, p.lists * kSamplePerList);
    const auto sampled = [&](size_t i) { return i * p.items / sample; };
    const auto units = unit_codes(pool, vectors, sample, sampled, owner->rotation);
    const auto centroids = cluster(pool, units, {p.lists, options.iterations, options.seed});
    stage.end(fmt::format("{} centroids trained on {} rows", p.lists, sample));
    list_of = assign(pool, vectors, owner->rotation, centroids);
    stage.end(fmt::format("{} rows assigned to lists", p.items));
  }
  fill_lists(pool, vectors, list_of, *owner, p);
  stage.end("lists encoded");
  p.rotation = owner->rotation.values();
  p.centroids = owner->centroids;
  p.scales = owner->scales;
  p.stddevs = owner->stddevs;
  p.find_inverse_stddevs();
  p.codes = owner->codes.values();
  p.rows = owner->rows;
  p.owner = owner;

  if (calibration_queries.rows() > 0) {
    calibrate(pool, p, vectors,
              calibration_queries.slice_rows(0, std::min(calibration_queries.rows(), kMaxCalibrationQueries)));
  } else {
    const size_t n = std::min(p.items, kMaxCalibrationQueries);
    math::Matrix<float> items(n, p.dim);
    for (size_t i = 0; i < n; ++i) vectors.read(i * p.items / n, items[i]);
    calibrate(pool, p, vectors, items);
  }
  stage.end("stop rule calibrated");
  return p;
}

}  // namespace pagoda::index
