// The rows of an approximate scan that may be among the best k once they are scored exactly.
//
// Holds every row offered whose approximate score is at least that of the k-th best minus `margin`. What it holds after
// cut() does not depend on the order in which rows came, nor on when it was cut before: so a scan may be cut into pieces
// in any way, on any number of threads. Not thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "index/code_kernels.h"

namespace pagoda::index {

class RerankPool {
 public:
  // k > 0. Rows whose approximate score is below `least` are of no interest. Forgets what it held, keeps its memory.
  void reset(size_t k, float margin, float least = -std::numeric_limits<float>::infinity());

  // Only rows with a score above it can still get in.
  float threshold() const { return threshold_; }
  // The k-th best score at the last cut; -infinity when there were fewer.
  float kth() const { return kth_; }

  // Where a scan of up to n rows writes: scan's scores, positions and found are set, for CodeKernels::select.
  void open(size_t n, CodeScan& scan);
  // Takes over what the scan has found, and cuts when it has become much.
  void close(const CodeScan& scan);
  // Begins where `first` stands, of whose rows none is fresh: so a piece of a scan knows from its first row on what is good
  // enough. Keeps its memory.
  void follow(const RerankPool& first);
  // Takes over the fresh rows of one that followed this one.
  void merge(const RerankPool& follower);

  void cut();

  // What comes from here on is fresh, until the next mark.
  void mark() { fresh_ = size_; }
  // How many of the fresh rows, of those that are held, score at least that.
  size_t fresh_from(float score) const;

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

// The k-th largest of n > 0 numbers (none NaN), 1 <= k <= n. In time linear in n; `scratch` is overwritten.
float kth_largest(const float* x, size_t n, size_t k, std::vector<float>& scratch);

}  // namespace pagoda::index
