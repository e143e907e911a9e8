#include "math/bootstrap.h"

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "core/rng.h"

namespace pagoda::math {

double quantile(std::span<const double> sorted, double q) {
  check(!sorted.empty(), "a quantile has values");
  const double at = q * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<size_t>(at);
  const size_t above = std::min(below + 1, sorted.size() - 1);
  return sorted[below] + (at - static_cast<double>(below)) * (sorted[above] - sorted[below]);
}

std::vector<Interval> bootstrap_means(ThreadPool& pool, std::span<const double> values, size_t columns,
                                      const BootstrapOptions& options) {
  check(columns > 0 && values.size() % columns == 0, "the rows of a bootstrap have equal length");
  const size_t users = values.size() / columns, resamples = static_cast<size_t>(options.resamples);
  std::vector<std::vector<double>> means(columns, std::vector<double>(resamples, NAN));
  if (users > 0)
    pool.run(resamples, [&](size_t r) {
      Rng rng(static_cast<uint64_t>(options.seed), Stream::bootstrap, r);
      std::vector<double> sums(columns, 0.0), counts(columns, 0.0);
      for (size_t draw = 0; draw < users; ++draw) {
        const auto row = values.subspan(rng.below(users) * columns, columns);
        for (size_t c = 0; c < columns; ++c)
          if (!std::isnan(row[c])) {
            sums[c] += row[c];
            ++counts[c];
          }
      }
      for (size_t c = 0; c < columns; ++c)
        if (counts[c] > 0) means[c][r] = sums[c] / counts[c];
    });
  std::vector<Interval> intervals;
  const double tail = (1 - options.confidence) / 2;
  for (auto& column : means) {
    std::erase_if(column, [](double mean) { return std::isnan(mean); });
    std::sort(column.begin(), column.end());
    intervals.push_back(column.empty() ? Interval{NAN, NAN}
                                       : Interval{quantile(column, tail), quantile(column, 1 - tail)});
  }
  return intervals;
}

}  // namespace pagoda::math
