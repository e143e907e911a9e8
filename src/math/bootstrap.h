// Percentile bootstrap over users: how far a mean would move with other users of the same kind. Efron 1979; the
// percentile interval of Efron and Tibshirani 1993, chapter 13.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/thread_pool.h"

namespace pagoda::math {

struct BootstrapOptions {
  int64_t resamples = 2000;
  double confidence = 0.95;
  int64_t seed = 1;
};

struct Interval {
  double low = 0, high = 0;  // NaN: there was nothing to resample
};

// For each column of values [users, columns] (row-major; NaN: not measured for that user), the interval of its mean
// over users. A resample draws as many users as there are, with replacement, and takes their whole rows; to compare two
// systems, pass the differences per user, which pairs them. All columns, and all calls with the same options and number
// of users, use the same resamples. The same bits on any number of threads.
std::vector<Interval> bootstrap_means(ThreadPool& pool, std::span<const double> values, size_t columns,
                                      const BootstrapOptions& options);

// The q-quantile of sorted values, linear between neighbours. `sorted` must not be empty.
double quantile(std::span<const double> sorted, double q);

}  // namespace pagoda::math
