// The data of a partitioned index: centroids, and inverted lists of SQ8 codes, in memory or mapped from a bundle.
//
// The rotated row v of list l is scales[l] times its codes, up to an error. Each list begins a new block
// (code_kernels.h); its rows ascend.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/section_file.h"
#include "index/stop_rule.h"
#include "math/matrix.h"

namespace pagoda::index {

// Holds views. `owner` keeps their memory alive; nullptr: they view a mapped file, which outlives the index.
struct Partitions {
  uint64_t items = 0, dim = 0, lists = 0, seed = 0;
  double recall = 0.95;  // of a search that does not set one
  uint64_t k = 1000;     // measured by calibration, among others
  float centroid_scale = 0;
  // Of the coding error |v - scale * codes| and of the length |v|, over all rows: the largest, and the root mean
  // square.
  float largest_error = 0, usual_error = 0, largest_length = 0, usual_length = 0;
  RecallCurve curve;

  std::span<const float> rotation;  // [dim, dim]
  std::span<const uint8_t>
      centroids;                     // blocks of `lists` rows: the codes of the lists' means, scaled by centroid_scale
  std::span<const float> scales;     // [lists]
  std::span<const float> stddevs;    // [lists]: standard deviation of its rows about their mean, in one direction
  std::span<const uint32_t> counts;  // [lists]: rows of each
  std::span<const uint8_t> codes;    // blocks, list after list
  std::span<const uint32_t>
      rows;  // [16 per block]: the item row at each position; 0 in the padding of a list's last block
  std::vector<uint64_t> first_block;  // [lists + 1], from the counts
  std::vector<float> inverse_stddev;  // [lists]: 1 / stddev; very large for a list without spread
  float largest_stddev = 0;

  std::shared_ptr<const void> owner;

  void find_first_blocks();
  void find_inverse_stddevs();
};

// Sections "index/parameters", "index/rotation", "index/centres", "index/lists", "index/codes", "index/rows".
void save_partitions(SectionWriter& out, const Partitions& partitions);
// Maps the sections. Error{failed}: another version, or sections that do not fit each other or the items.
Partitions load_partitions(const SectionFile& file, size_t items, size_t dim);

}  // namespace pagoda::index
