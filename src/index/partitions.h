// What a partitioned index is made of: lists of 8-bit rows about centres, in memory or mapped from a bundle.
//
// A row v, rotated, is step(l) times its codes, up to an error; l is the list of the nearest centre. A list begins with a
// block of its own; its rows rise.
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

// Views; what they are of lives as long as `owner` does (nullptr: the mapped file, which outlives the index).
struct Partitions {
  uint64_t items = 0, dim = 0, lists = 0, seed = 0;
  double recall = 0.95;  // wanted when a search says nothing
  uint64_t k = 1000;     // what it was calibrated for, among others
  float centroid_scale = 0;
  // Of |v - codes| and |v|, over all rows: what bounds the error of an approximate score, and what is usual.
  float largest_error = 0, usual_error = 0, largest_length = 0, usual_length = 0;
  RecallCurve curve;

  std::span<const float> rotation;     // [dim, dim]
  std::span<const uint8_t> centroids;  // blocks of `lists` rows: the means of the lists, in steps of centroid_scale
  std::span<const float> scales;       // [lists]
  std::span<const float> stddevs;      // [lists]: deviation of its rows from the mean, in one direction
  std::span<const uint32_t> counts;    // [lists]
  std::span<const uint8_t> codes;      // blocks, list after list
  std::span<const uint32_t> rows;  // [16 a block]: the item row at each position; 0 where a list's last block is padded
  std::vector<uint64_t> first_block;  // [lists + 1], from the counts
  std::vector<float> inverse_stddev;  // [lists]: 1 / spread, what an empty one counts as very small
  float largest_stddev = 0;

  std::shared_ptr<const void> owner;

  void find_first_blocks();
  void find_inverse_stddevs();
};

// Sections "index/parameters", "index/rotation", "index/centres", "index/lists", "index/codes", "index/rows".
void save_partitions(SectionWriter& out, const Partitions& partitions);
// Mapped. Error{failed}: of a newer version, or sections that do not fit each other or the items.
Partitions load_partitions(const SectionFile& file, size_t items, size_t dim);

}  // namespace pagoda::index
