// One query's way through the lists of a partitioned index.
#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "core/thread_pool.h"
#include "index/partitions.h"
#include "index/rerank_pool.h"

namespace pagoda::index {

// What a search wants of one query.
struct ProbeTarget {
  size_t k = 1;  // exclusions that may take places among the best included
  float min_score = -std::numeric_limits<float>::infinity();
  uint64_t matching = 0;  // rows that the filter lets in
  float stop_slack = -1;  // of the stop rule; negative: every list, and a shortlist that misses nothing
  const GapHistogram* histogram = nullptr;                     // of the stop rule; nullptr: every list
  double most_rows = std::numeric_limits<double>::infinity();  // that count for a hard query in the stop rule
  // With so many rows of lists still to be scanned the search gives up: something else is cheaper.
  double too_many = std::numeric_limits<double>::infinity();
};

// begin(), then, while not done(): probe the lists of round(), tell what matched, end_round(). The shortlist then holds what
// is to be scored exactly. All decisions are taken between rounds and depend on the query alone, so the way is the same
// however a round is cut. Keeps its memory from one query to the next. Not thread-safe.
class ProbeState {
 public:
  // The query is finite and not all zeros. `p` outlives the probing.
  void begin(ThreadPool& pool, const Partitions& p, std::span<const float> query, const ProbeTarget& goal);

  bool done() const { return next_ == end_; }
  bool gave_up() const { return gave_up_; }
  // The lists to probe now, in rising order.
  std::span<const uint32_t> round() const { return {order_.data() + next_, end_ - next_}; }
  void end_round(uint64_t rows_scored, uint64_t rows_matched);

  // Ready for a list: codes, start, scale, and the threshold of the given shortlist.
  void aim(uint32_t list, const RerankPool& shortlist, CodeScan& scan) const;
  RerankPool& pool() { return pool_; }
  // For pieces of a round that are scanned beside each other, from 1 on: they follow shortlist() and are merged into it.
  RerankPool& piece(size_t i) {
    if (pieces_.size() <= i) pieces_.resize(i + 1);
    return pieces_[i];
  }
  const RerankPool& pool() const { return pool_; }

  // The score of each list's centre, as a search sees it, by list. Ends what was begun.
  std::vector<float> centroid_scores(ThreadPool& pool, const Partitions& p, std::span<const float> query);

  uint64_t lists_probed() const { return next_; }
  uint64_t rows_scored() const { return scored_; }

 private:
  void code_query(ThreadPool& pool, std::span<const float> query);
  void order_lists();
  void plan_round();
  float promised(size_t place, float score) const;
  size_t needed(float score, double tolerance);

  const Partitions* p_ = nullptr;
  ProbeTarget goal_;
  std::vector<float> rotated_;
  std::vector<int8_t> codes_;
  int32_t start_ = 0;
  float scale_ = 0, norm_ = 0, per_norm_ = 0, bin_width_ = 0;
  std::vector<int32_t> products_;       // of the centres, by list
  std::vector<uint16_t> bins_;          // that these fall into
  std::vector<float> centroid_scores_;  // the centres' scores, in the order of `order_`
  std::vector<uint32_t> order_;         // all lists, the best centre first; within a round by number
  RerankPool pool_;
  std::vector<RerankPool> pieces_;
  size_t begin_ = 0, next_ = 0, end_ = 0;  // of the last round, of this one, its end
  uint64_t scored_ = 0, matched_ = 0;
  bool gave_up_ = false;
};

}  // namespace pagoda::index
