// The partitioned index (an inverted file): items lie in lists about centres, and a query looks into those whose centres are
// near it.
//
// A list is scanned by 8-bit codes of the rotated vectors; what may be among the best k is then scored exactly from the
// vectors themselves, so a score has the bits that the exact index gives. A search goes on until its recall is the wanted
// one (stop_rule.h), and with recall = 1 its answer is that of the exact index, item by item and bit by bit: every list is
// probed, and the rerank takes all that the error of the codes may hide.
//
// Filters and exclusions work inside: a list's rows are masked before they are scored, lists are probed until k items that
// match are found or none are left, and where few rows match these alone are scored, exactly.
#pragma once

#include <cstdint>
#include <memory>

#include "index/index.h"
#include "index/partitions.h"

namespace pagoda::index {

struct PartitionedOptions {
  int64_t lists = 0;        // 0: about 4 sqrt(items)
  int64_t iterations = 12;  // of k-means
  uint64_t seed = 1;
  double recall = 0.95;  // wanted when a search says nothing
  int64_t k = 1000;      // the length of list that is asked for most; others are measured, too
};

// Clusters, lays out and calibrates. Reads the vectors three times from the first row to the last, and a sample of them:
// they may be mapped from a file larger than memory. The same bits for a seed, on any number of threads. `held` [n, D] are queries like those
// to come, which the recall is measured with (a few hundred); when there are none, items stand in for them. Error{input}: a
// component that is not finite; Error{usage}: an option that can not be.
Partitions build_partitions(ThreadPool& pool, math::RowsView vectors, const PartitionedOptions& options,
                            math::MatrixView<const float> held);

// `vectors` and what the partitions are views of outlive the index.
std::unique_ptr<Index> make_partitioned_index(Partitions partitions, math::RowsView vectors);

// Measures the stop rule of an index that was laid out: part of build_partitions.
void calibrate(ThreadPool& pool, Partitions& partitions, math::RowsView vectors, math::MatrixView<const float> held);

}  // namespace pagoda::index
