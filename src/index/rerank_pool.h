// The rows of an approximate scan that may be among the top k once they are scored exactly.
//
// A pool holds every row offered to it whose approximate score is at least the k-th best score minus `margin`. What it
// holds after prune() does not depend on the order of the rows, nor on earlier calls of prune(), so a scan may be
// divided into any pieces, on any number of threads. Not thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "index/code_kernels.h"

namespace pagoda::index {

class RerankPool {
 public:
  // Empties the pool and keeps its memory. k > 0; margin >= 0, in units of scores; rows whose approximate score is
  // below `min_score` are left out.
  void reset(size_t k, float margin, float min_score = -std::numeric_limits<float>::infinity());

  // Only rows with a score above this can still enter.
  float threshold() const { return threshold_; }
  // The k-th best score at the last prune(); -infinity when the pool held fewer than k rows.
  float kth() const { return kth_; }

  // Points the scan's `scores` and `positions` at room for n rows, and sets `found` to 0, for CodeKernels::select.
  void begin_scan(size_t n, CodeScan& scan);
  // Adds what the scan found, and prunes when the pool has grown too large.
  void end_scan(const CodeScan& scan);
  // Becomes a copy of `origin` without fresh rows, so that a piece of a scan starts with its threshold. Keeps its
  // memory.
  void fork_from(const RerankPool& origin);
  // Adds the fresh rows of a pool that was forked from this one.
  void merge(const RerankPool& fork);

  // Drops the rows that cannot be among the top k, and raises the threshold.
  void prune();

  // Rows that come after mark() are fresh, until the next mark().
  void mark() { fresh_ = size_; }
  // The number of fresh rows in the pool that score at least `score`.
  size_t count_fresh(float score) const;

  size_t size() const { return size_; }
  const float* scores() const { return scores_.data(); }
  const uint32_t* positions() const { return positions_.data(); }

 private:
  void reserve(size_t n);
  size_t k_ = 1, size_ = 0, limit_ = 0, fresh_ = 0;
  float margin_ = 0, threshold_ = 0, kth_ = 0;
  std::vector<float> scores_;
  std::vector<uint32_t> positions_;
  std::vector<float> scratch_;
};

// The k-th largest of n > 0 numbers (none NaN), 1 <= k <= n. Takes O(n); overwrites `scratch`.
float kth_largest(const float* x, size_t n, size_t k, std::vector<float>& scratch);

}  // namespace pagoda::index
