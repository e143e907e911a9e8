// Groups the reads of a step by table row, so that the gradients of a row are added up where it is updated.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/thread_pool.h"
#include "math/bag.h"

namespace pagoda::nn {

// A use is one read of a row by an example of a reading, with a weight. The uses of a row are ordered by reading, then
// by example.
struct RowGrouping {
  std::vector<uint32_t> rows;      // distinct, ascending
  std::vector<uint64_t> first;     // uses of rows[i]: [first[i], first[i + 1])
  std::vector<uint8_t> readings;   // of each use
  std::vector<uint32_t> examples;  // of each use
  std::vector<float> weights;      // of each use

  // Two passes over the uses: into shards by the high bits of the row, then within each shard. The order is that of a
  // stable sort by row, on any number of threads. Memory: 30 bytes per use. At most 256 readings.
  void group(ThreadPool& pool, std::span<const math::Bag* const> readings);

 private:
  struct Piece {  // a part of a reading, the unit of the first pass
    uint32_t reading;
    uint32_t begin, end;  // examples
  };
  void cut(std::span<const math::Bag* const> readings);
  void spread(ThreadPool& pool, std::span<const math::Bag* const> readings);
  void sort_shard(size_t shard);
  void collect(ThreadPool& pool);

  std::vector<Piece> pieces_;
  std::vector<size_t> starts_;        // [piece, shard]: where its uses begin
  std::vector<size_t> shard_begin_;   // and the end
  std::vector<uint32_t> shard_rows_;  // number of distinct rows of each shard, then where they begin in `rows`
  std::vector<uint32_t> unsorted_rows_, unsorted_examples_, sorted_rows_;
  std::vector<float> unsorted_weights_;
  std::vector<uint8_t> unsorted_readings_;
  uint32_t shift_ = 0;  // a row's shard: row >> shift_
  size_t shards_ = 0;
};

}  // namespace pagoda::nn
