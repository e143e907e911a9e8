// fused_loss B D THREADS PRECISION REPEATS: one line of JSON: milliseconds of a sampled softmax, forward and backward,
// over B rows and B columns, and the same process's peak of multiply-adds, of dot products of bf16 where that is the
// PRECISION (of tiles with AMX); medians of interleaved measurements, and least_ms, the least of them. No REPEATS: of
// the first run, for sizes that take minutes.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <vector>

#include "bench/memory.h"
#include "bench/peak.h"
#include "bench/timing.h"
#include "core/rng.h"
#include "loss/accidental_hits.h"
#include "loss/loss.h"
#include "math/environment.h"

namespace pagoda {
namespace {

// In-batch negatives of a catalogue whose popularity falls as rank^-0.9; vectors of unit length.
template <class T>
struct Batch {
  math::Matrix<T> users, items, d_users, d_items;
  math::Ragged<uint32_t> positives, masked;
  std::vector<double> log_count;
  loss::LossOutput<T> output;

  Batch(ThreadPool& pool, size_t rows, size_t dim)
      : users(rows, dim), items(rows, dim), d_users(rows, dim), d_items(rows, dim) {
    Rng rng(7, Stream::test);
    for (auto* m : {&users, &items})
      for (size_t i = 0; i < rows; ++i) {
        double norm = 0;
        for (T& x : m->row(i)) x = static_cast<T>(static_cast<float>(rng.normal())), norm += double{x} * double{x};
        for (T& x : m->row(i)) x = static_cast<T>(static_cast<float>(x / std::sqrt(norm)));
      }
    constexpr size_t kCatalogue = 1000000;
    std::vector<double> below(kCatalogue);
    double total = 0;
    for (size_t k = 0; k < kCatalogue; ++k) below[k] = total += std::pow(static_cast<double>(k + 1), -0.9);
    std::vector<uint32_t> own_users(rows), own_items(rows);
    for (uint32_t i = 0; i < rows; ++i) {
      const auto k = std::ranges::lower_bound(below, rng.uniform() * total) - below.begin();
      own_users[i] = i, own_items[i] = static_cast<uint32_t>(k);
      log_count.push_back(std::log(std::pow(static_cast<double>(k + 1), -0.9) / total * static_cast<double>(rows)));
      positives.values.push_back(i), positives.close();
    }
    masked = loss::accidental_hits(pool, own_users, positives, own_items);
  }

  void run(loss::Loss<T>& loss, ThreadPool& pool) {
    loss::LossInput<T> input;
    input.users = users, input.items = items, input.positives = &positives, input.masked = &masked;
    input.log_count = log_count, input.temperature = 0.05;
    output.d_users = d_users, output.d_items = d_items;
    loss.run(pool, input, output);
  }
};

template <class T, class U>
double relative_error(const math::Matrix<T>& a, const math::Matrix<U>& exact) {
  double error = 0, norm = 0;
  for (size_t k = 0; k < a.size(); ++k) {
    error += std::pow(double{a.values()[k]} - double{exact.values()[k]}, 2);
    norm += std::pow(double{exact.values()[k]}, 2);
  }
  return std::sqrt(error / norm);
}

int main_of(size_t rows, size_t dim, int threads, math::Precision precision, size_t repeats) {
  const bool bf16 = precision == math::Precision::bf16;
  ThreadPool pool(threads);
  const loss::LossOptions options;
  {  // right before fast
    Batch<double> exact(pool, 1000, dim);
    Batch<float> fast(pool, 1000, dim);
    exact.run(*loss::make_loss<double>(options), pool);
    fast.run(*loss::make_loss<float>(options, precision), pool);
    const double of_users = relative_error(fast.d_users, exact.d_users);
    const double of_items = relative_error(fast.d_items, exact.d_items);
    const double most = bf16 ? 1e-2 : 1e-5;
    if (!(of_users < most && of_items < most)) {
      std::fprintf(stderr, "the gradients are off: relative error %.2e of dU, %.2e of dV\n", of_users, of_items);
      return 1;
    }
  }
  Batch<float> batch(pool, rows, dim);
  const auto loss = loss::make_loss<float>(options, precision);
  const double before = peak_rss_mb();
  const double first = seconds();
  batch.run(*loss, pool);
  std::vector<double> times, peaks;
  if (repeats == 0) times.push_back(seconds() - first), peaks.push_back(peak_flops(pool, threads, bf16));
  const double after = peak_rss_mb();
  for (size_t r = 0; r < repeats; ++r) {
    peaks.push_back(peak_flops(pool, threads, bf16));
    const double start = seconds();
    batch.run(*loss, pool);
    times.push_back(seconds() - start);
  }
  const double flops = 6.0 * static_cast<double>(rows) * static_cast<double>(rows) * static_cast<double>(dim);
  const double time = median(times), peak = median(peaks);
  std::printf(
      "{\"rows\": %zu, \"dim\": %zu, \"threads\": %d, \"ms\": %.2f, \"least_ms\": %.2f, \"gflops\": %.1f, "
      "\"peak_gflops\": %.1f, "
      "\"ratio_to_peak\": %.3f, \"workspace_mb\": %.1f, \"peak_rss_mb\": %.1f}\n",
      rows, dim, threads, time * 1e3, *std::ranges::min_element(times) * 1e3, flops / time * 1e-9, peak * 1e-9,
      flops / time / peak, after - before, after);
  return 0;
}

}  // namespace
}  // namespace pagoda

int main(int argc, char** argv) {
  pagoda::math::take_environment();
  const std::string_view precision = argc == 6 ? argv[4] : "";
  if (precision != "f32" && precision != "bf16") {
    std::fprintf(stderr, "usage: fused_loss ROWS DIM THREADS f32|bf16 REPEATS\n");
    return 2;
  }
  return pagoda::main_of(std::strtoul(argv[1], nullptr, 10), std::strtoul(argv[2], nullptr, 10), std::atoi(argv[3]),
                         precision == "bf16" ? pagoda::math::Precision::bf16 : pagoda::math::Precision::f32,
                         std::strtoul(argv[5], nullptr, 10));
}
