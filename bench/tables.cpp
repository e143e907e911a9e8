// Random rows of a large table: summed into a batch, and updated, beside a bare loop over the same rows.
//
//   bench_tables ROWS DIM THREADS REPEATS
//
// Two lines of JSON, "gather" and "update"; bytes count each row's once when read, twice when updated.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <numeric>
#include <span>
#include <vector>

#include "bench/memory.h"
#include "bench/timing.h"
#include "core/rng.h"
#include "math/simd_dispatch.h"
#include "math/environment.h"
#include "nn/embedding_table.h"

namespace pagoda {
namespace {

constexpr size_t kBatch = 1 << 16, kBatches = 16, kAhead = 16, kChunk = 256;

template <bool Write>
inline __attribute__((always_inline)) void ask_for(const float* row, size_t dim) {
  for (size_t k = 0; k < dim; k += 16) __builtin_prefetch(row + k, Write);
}

// What the memory gives: nothing but the loop, the same rows ahead, on as many threads.
PAGODA_INLINE void copy_rows(math::MatrixView<const float> table, std::span<const uint32_t> rows, size_t begin,
                             size_t end, math::MatrixView<float> out) {
  for (size_t i = begin; i < end; ++i) {
    if (i + kAhead < rows.size()) ask_for<false>(table[rows[i + kAhead]], table.cols());
    const float* row = table[rows[i]];
    for (size_t k = 0; k < table.cols(); ++k) out[i][k] = row[k];
  }
}

PAGODA_INLINE void move_rows(math::MatrixView<float> table, std::span<const uint32_t> rows, size_t begin, size_t end,
                             float rate, math::MatrixView<const float> gradient) {
  for (size_t i = begin; i < end; ++i) {
    if (i + kAhead < rows.size()) ask_for<true>(table[rows[i + kAhead]], table.cols());
    float* row = table[rows[i]];
    for (size_t k = 0; k < table.cols(); ++k) row[k] -= rate * gradient[i][k];
  }
}

void bare_gather(ThreadPool& pool, const math::Matrix<float>& table, const std::vector<uint32_t>& rows,
                 math::Matrix<float>& out) {
  pool.for_chunks(rows.size(), kChunk,
                  [&](size_t begin, size_t end) { math::simd_call<copy_rows>(table, rows, begin, end, out); });
}

void bare_update(ThreadPool& pool, math::Matrix<float>& table, const std::vector<uint32_t>& rows, float rate,
                 const math::Matrix<float>& gradient) {
  pool.for_chunks(rows.size(), kChunk, [&](size_t begin, size_t end) {
    math::simd_call<move_rows>(table, rows, begin, end, rate, gradient);
  });
}

void print(const char* what, size_t rows, size_t dim, int threads, double bytes, double ours, double bare) {
  std::printf(
      "{\"what\": \"%s\", \"rows\": %zu, \"dim\": %zu, \"threads\": %d, \"gb_per_s\": %.2f, \"bare_gb_per_s\": %.2f, "
      "\"ratio_to_peak\": %.3f, \"peak_rss_mb\": %.0f}\n",
      what, rows, dim, threads, 1e-9 * bytes / ours, 1e-9 * bytes / bare, bare / ours, peak_rss_mb());
}

int main_of(size_t rows, size_t dim, int threads, int repeats) {
  ThreadPool pool(threads);
  nn::EmbeddingTable<float> table("t", static_cast<uint32_t>(rows), dim);
  auto& values = table.values();
  pool.for_chunks(rows, 1 << 14, [&](size_t begin, size_t end) {
    for (size_t r = begin; r < end; ++r)
      for (size_t k = 0; k < dim; ++k) values[r][k] = static_cast<float>((r * 31 + k) % 1024);
  });
  std::vector<math::Bag> bags(kBatches);
  Rng rng(1, Stream::test);
  for (auto& bag : bags) {
    std::vector<uint32_t> picked(kBatch);
    for (auto& row : picked) row = static_cast<uint32_t>(rng.below(rows));
    std::ranges::sort(picked);
    picked.erase(std::unique(picked.begin(), picked.end()), picked.end());
    for (const uint32_t row : picked) bag.add(row, 1), bag.close();
  }
  math::Matrix<float> out(kBatch, dim), bare(kBatch, dim), gradient(kBatch, dim);
  gradient.fill(1);
  nn::OptimizerState<float> sgd(pool, {.kind = nn::OptimizerKind::sgd}, rows, dim, true);
  std::vector<double> ours, theirs, ours_update, theirs_update;
  const double bytes = static_cast<double>(kBatch * dim * sizeof(float));
  for (int r = 0; r < repeats; ++r)
    for (size_t b = 0; b < kBatches; ++b) {
      const auto& picked = bags[b].rows.values;
      const auto& others = bags[(b + kBatches / 2) % kBatches].rows.values;  // not in the cache, as ours are not
      out.resize(picked.size(), dim);
      double start = seconds();
      table.forward(pool, bags[b], out);
      ours.push_back(seconds() - start), start = seconds();
      bare_gather(pool, values, others, bare);
      theirs.push_back(seconds() - start);
      bare_gather(pool, values, picked, bare);
      if (!std::equal(out.begin(), out.end(), bare.begin())) {
        std::fprintf(stderr, "the rows gathered are not those of the table\n");
        return 1;
      }
    }
  for (int r = 0; r < repeats; ++r)
    for (size_t b = 0; b < kBatches; ++b) {
      const auto& picked = bags[b].rows.values;
      const auto& others = bags[(b + kBatches / 2) % kBatches].rows.values;  // not in the cache, as ours are not
      const float before = values[picked[7]][3];
      double start = seconds();
      sgd.update_rows(pool, {.rate = 1}, picked, gradient.view().slice_rows(0, picked.size()), values);
      ours_update.push_back(seconds() - start);
      if (values[picked[7]][3] != before - 1) {
        std::fprintf(stderr, "the rows updated are not those of the table\n");
        return 1;
      }
      start = seconds();
      bare_update(pool, values, others, -1, gradient);
      theirs_update.push_back(seconds() - start);
    }
  print("gather", rows, dim, threads, bytes, median(ours), median(theirs));
  print("update", rows, dim, threads, 2 * bytes, median(ours_update), median(theirs_update));
  return 0;
}

}  // namespace
}  // namespace pagoda

int main(int argc, char** argv) {
  pagoda::math::take_environment();
  if (argc != 5) {
    std::fprintf(stderr, "usage: bench_tables ROWS DIM THREADS REPEATS\n");
    return 2;
  }
  return pagoda::main_of(std::strtoul(argv[1], nullptr, 10), std::strtoul(argv[2], nullptr, 10), std::atoi(argv[3]),
                         std::atoi(argv[4]));
}
