// A table that may be larger than memory, from its first row on: initialised, read and updated in steps of random rows.
//
//   bench_large_table ROWS DIM THREADS f32|bf16 STEPS      PAGODA_TABLES=FOLDER: in a file of it
//
// A line of JSON for "initialise" and for each of "uniform" and "popular" (rows as often as 1 / rank, scattered over the
// table): rows a second gathered and updated (row_adagrad) in steps of 8192 draws, each row of a step once.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <vector>

#include "bench/memory.h"
#include "bench/timing.h"
#include "core/rng.h"
#include "math/bf16.h"
#include "math/environment.h"
#include "nn/embedding_table.h"

namespace pagoda {
namespace {

constexpr size_t kDraws = 8192;
constexpr double kRate = 0.05, kFirstSum = 0.1;

math::Bag draw(size_t rows, bool popular, uint64_t step) {
  Rng rng(1, Stream::test, step, popular);
  std::vector<uint32_t> picked(kDraws);
  for (auto& row : picked) {
    const auto rank = static_cast<size_t>(std::pow(static_cast<double>(rows), rng.uniform())) - 1;
    row = static_cast<uint32_t>(popular ? rank * 2654435761 % rows : rng.below(rows));
  }
  std::ranges::sort(picked);
  picked.erase(std::unique(picked.begin(), picked.end()), picked.end());
  math::Bag bag;
  for (const uint32_t row : picked) bag.add(row, 1), bag.close();
  return bag;
}

int main_of(size_t rows, size_t dim, int threads, math::Precision stored, size_t steps) {
  ThreadPool pool(threads);
  const double start = seconds();
  nn::EmbeddingTable<float> table("t", static_cast<uint32_t>(rows), dim, stored);
  table.initialise(pool, 1, 0, 0.125);
  const double initialised = seconds();
  nn::OptimizerOptions options;
  options.kind = nn::OptimizerKind::row_adagrad, options.initial_accumulator = kFirstSum;
  nn::OptimizerState<float> optimizer(pool, options, rows, dim, true);
  std::printf("{\"what\": \"initialise\", \"rows\": %zu, \"dim\": %zu, \"seconds\": %.1f, \"state_seconds\": %.1f}\n",
              rows, dim, initialised - start, seconds() - initialised);
  std::fflush(stdout);
  math::Matrix<float> before(kDraws, dim), after(kDraws, dim);
  nn::RowGradients<float> gradient;
  uint64_t step = 0;
  for (const bool popular : {false, true}) {
    double gather = 0, update = 0;
    size_t taken = 0;
    for (size_t s = 0; s < 2 * steps; ++s) {  // the first half fills the memory with what is read often
      const math::Bag bag = draw(rows, popular, s);
      const size_t n = bag.size();
      before.resize(n, dim), after.resize(n, dim), gradient.values.resize(n, dim);
      gradient.values.fill(0.5f);
      gradient.rows = bag.rows.values;
      const double begin = seconds();
      table.forward(pool, bag, before);
      const double gathered = seconds();
      table.update(pool, {.rate = kRate, .step = ++step}, gradient, optimizer);
      const double updated = seconds();
      if (s >= steps) gather += gathered - begin, update += updated - gathered, taken += n;
      table.forward(pool, bag, after);
      for (size_t r = 0; r < n; ++r) {
        const float sum = optimizer.first()[bag.rows.values[r]][0];
        const double moved = kRate * 0.5 / std::sqrt(sum);
        const double unit = stored == math::Precision::bf16 ? std::ldexp(std::abs(before[r][3]) + moved, -7) : 1e-6;
        if (!(std::abs(before[r][3] - moved - after[r][3]) <= unit)) {
          std::fprintf(stderr, "row %u moved from %g to %g, not by %g\n", bag.rows.values[r], double{before[r][3]},
                       double{after[r][3]}, moved);
          return 1;
        }
      }
    }
    std::printf(
        "{\"what\": \"%s\", \"rows\": %zu, \"dim\": %zu, \"threads\": %d, \"gathered_rows_per_s\": %.4g, "
        "\"updated_rows_per_s\": %.4g, \"peak_rss_mb\": %.0f}\n",
        popular ? "popular" : "uniform", rows, dim, threads, static_cast<double>(taken) / gather,
        static_cast<double>(taken) / update, peak_rss_mb());
    std::fflush(stdout);
  }
  return 0;
}

}  // namespace
}  // namespace pagoda

int main(int argc, char** argv) {
  pagoda::math::take_environment();
  const std::string_view stored = argc == 6 ? argv[4] : "";
  if (stored != "f32" && stored != "bf16") {
    std::fprintf(stderr, "usage: bench_large_table ROWS DIM THREADS f32|bf16 STEPS\n");
    return 2;
  }
  return pagoda::main_of(std::strtoul(argv[1], nullptr, 10), std::strtoul(argv[2], nullptr, 10), std::atoi(argv[3]),
                         stored == "bf16" ? pagoda::math::Precision::bf16 : pagoda::math::Precision::f32,
                         std::strtoul(argv[5], nullptr, 10));
}
