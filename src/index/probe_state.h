// The state of one query while a search probes the inverted lists.
#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "core/thread_pool.h"
#include "index/partitions.h"
#include "index/rerank_pool.h"

namespace pagoda::index {

// What a search wants for one query, and when it may stop (stop_rule.h).
struct ProbeTarget {
  size_t k = 1;  // results wanted, plus the excluded rows that may rank among them
  float min_score = -std::numeric_limits<float>::infinity();
  uint64_t matching = 0;  // rows that pass the filter
  float stop_slack = -1;  // of the stop rule; negative: probe every list, and lose no row to the codes' error
  const GapHistogram* histogram = nullptr;                    // of the stop rule; nullptr: probe every list
  double max_rows = std::numeric_limits<double>::infinity();  // R_mean of the stop rule
  // The search gives up when the lists still to be probed hold more rows than this: an exact search is cheaper then.
  double max_rows_left = std::numeric_limits<double>::infinity();
};

// Usage: begin(); then, while !done(), scan the lists of round() and call end_round(). Afterwards pool() holds the rows
// to rerank. All decisions are taken between rounds and depend on the query alone, so the result is the same however a
// round is divided among threads. Keeps its memory from one query to the next. Not thread-safe, but the pieces of a
// round may be scanned concurrently, each into its own piece().
class ProbeState {
 public:
  // Starts a query, which is finite and not all zeros. Borrows `p`, which outlives this object.
  void begin(ThreadPool& pool, const Partitions& p, std::span<const float> query, const ProbeTarget& target);

  bool done() const { return next_ == end_; }
  bool gave_up() const { return gave_up_; }
  // The lists to probe now, in ascending order.
  std::span<const uint32_t> round() const { return {order_.data() + next_, end_ - next_}; }
  void end_round(uint64_t rows_scored, uint64_t rows_matched);

  // Sets the scan's codes, start, scale and threshold for a list; the threshold is that of `rerank_pool`.
  void prepare(uint32_t list, const RerankPool& rerank_pool, CodeScan& scan) const;
  RerankPool& pool() { return pool_; }
  // The pools of a round's pieces that are scanned concurrently, i >= 1: each is forked from pool() and merged into it.
  RerankPool& piece(size_t i) {
    if (pieces_.size() <= i) pieces_.resize(i + 1);
    return pieces_[i];
  }
  const RerankPool& pool() const { return pool_; }

  // The score of each list's centroid by its codes, as a search sees it, [lists]. Ends the query that was begun.
  std::vector<float> centroid_scores(ThreadPool& pool, const Partitions& p, std::span<const float> query);

  uint64_t lists_probed() const { return next_; }
  uint64_t rows_scored() const { return scored_; }

 private:
  void code_query(ThreadPool& pool, std::span<const float> query);
  void order_lists();
  void plan_round();
  float expected_hits(size_t place, float score) const;
  size_t stop_place(float score, double tolerance);

  const Partitions* p_ = nullptr;
  ProbeTarget target_;
  std::vector<float> rotated_;
  std::vector<int8_t> codes_;
  int32_t start_ = 0;
  float scale_ = 0, norm_ = 0, per_norm_ = 0, bin_width_ = 0;
  std::vector<int32_t> products_;       // [lists]: code products with the centroids
  std::vector<uint16_t> bins_;          // [lists]: the bins of these products
  std::vector<float> centroid_scores_;  // in the order of `order_`
  std::vector<uint32_t> order_;         // all lists by descending centroid score; within a round by number
  RerankPool pool_;
  std::vector<RerankPool> pieces_;
  // In `order_`: [begin_, next_) is the last round, [next_, end_) this one.
  size_t begin_ = 0, next_ = 0, end_ = 0;
  uint64_t scored_ = 0, matched_ = 0;
  bool gave_up_ = false;
};

}  // namespace pagoda::index
