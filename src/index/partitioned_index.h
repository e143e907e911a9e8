// The partitioned index: an inverted file (IVF) with SQ8 codes and an exact rerank. k-means divides the items into
// inverted lists, one per centroid, and a query probes the lists whose centroids score highest.
//
// A search scans a list by the 8-bit codes of its rotated rows, and then scores the rows that may be among the top k
// exactly, from their vectors, so a score has the same bits as in the exact index. A search stops when it has the
// wanted recall (stop_rule.h). With recall = 1 the result is that of the exact index, item by item and bit by bit: the
// search probes every list, and the rerank allows for the largest error of the codes.
//
// Filters and exclusions apply inside the search: a list's rows are masked before they are scored, and the search goes
// on until it has k matching items or no list is left. Where few rows match, these alone are scored, exactly.
#pragma once

#include <cstdint>
#include <memory>

#include "index/index.h"
#include "index/partitions.h"

namespace pagoda::index {

struct PartitionedOptions {
  int64_t lists = 0;        // inverted lists (nlist); 0: about 4 sqrt(items)
  int64_t iterations = 12;  // of k-means
  uint64_t seed = 1;
  double recall = 0.95;  // of a search that does not set one
  int64_t k = 1000;      // calibration measures this k, among others
};

// Clusters the items, encodes the lists and calibrates the stop rule. Reads the vectors three times in order of their
// rows, and a sample of them before, so they may be mapped from a file larger than memory. A seed gives the same bits
// on any number of threads. `calibration_queries` [n, D], a few hundred queries like those to come, measure the recall;
// without them, items stand in. Error{input}: a component that is not finite, or lengths out of range; Error{usage}: an
// option out of range.
Partitions build_partitions(ThreadPool& pool, math::RowsView vectors, const PartitionedOptions& options,
                            math::MatrixView<const float> calibration_queries);

// Borrows `vectors` and what the partitions are views of; both outlive the index.
std::unique_ptr<Index> make_partitioned_index(Partitions partitions, math::RowsView vectors);

// Measures the stop rule of an index whose lists are filled; a part of build_partitions.
void calibrate(ThreadPool& pool, Partitions& partitions, math::RowsView vectors,
               math::MatrixView<const float> calibration_queries);

}  // namespace pagoda::index
