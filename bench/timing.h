// The clock of the benchmarks.
#pragma once

#include <algorithm>
#include <chrono>
#include <vector>

namespace pagoda {

inline double seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

inline double median(std::vector<double> v) {
  std::ranges::sort(v);
  return v[v.size() / 2];
}

}  // namespace pagoda
