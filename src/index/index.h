// Top-k search over item vectors by inner product.
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/thread_pool.h"
#include "math/item_set.h"
#include "math/matrix.h"
#include "math/ragged.h"
#include "math/rows_view.h"

namespace pagoda::index {

// At most `max` items of one group, such as an author. The search goes down the ranking and skips an item when `max` of
// its group are in the result, until it has k items or no matching item is left.
struct Quota {
  static constexpr uint32_t kNoGroup = UINT32_MAX;  // for items without a group, which the quota does not limit
  std::span<const uint32_t> group_of;               // per item row
  uint32_t max = 1;
  std::span<const uint32_t> group_of_more{};  // of the rows after those, if items have two layers
  // The rows of group_of by group. Without them, a search that must leave out full groups scans all rows for their
  // items, which on a large catalogue takes longer than the rest of an approximate search.
  const math::Ragged<uint32_t>* members = nullptr;
  size_t items() const { return group_of.size() + group_of_more.size(); }
  uint32_t group(uint32_t row) const {
    return row < group_of.size() ? group_of[row] : group_of_more[row - group_of.size()];
  }
};

// The members of a Quota: for each group below the largest in `group_of`, its rows in ascending order.
math::Ragged<uint32_t> members_of_groups(std::span<const uint32_t> group_of);

// What a search did, for people and for tests.
struct SearchExplain {
  struct Query {
    uint64_t lists_probed = 0;
    uint64_t vectors_scored = 0;  // by SQ8 codes, or exactly where there are none
    uint64_t vectors_reranked = 0;
    uint64_t boosted = 0;  // items scored exactly because they have a boost
    Query& operator+=(const Query& more) {
      lists_probed += more.lists_probed;
      vectors_scored += more.vectors_scored;
      vectors_reranked += more.vectors_reranked;
      boosted += more.boosted;
      return *this;
    }
  };
  std::string plan;        // "all rows", "matching rows" (few match, and only they are scored) or "lists"
  double selectivity = 1;  // share of the items that pass the filter, 0 to 1
  std::vector<Query> queries;
  // Seconds, summed over threads.
  double centroids_s = 0, scan_s = 0, rerank_s = 0;
  void add_times(const SearchExplain& part) {
    centroids_s += part.centroids_s;
    scan_s += part.scan_s;
    rerank_s += part.rerank_s;
  }
};

// Amounts that a search adds to the scores of some items, per query: what a sparse model knows beside the vectors.
struct Boosts {
  math::Ragged<uint32_t> rows;  // per query, rising, each once
  std::vector<float> amounts;   // parallel to rows.values; >= 0
};
Boosts boosts_of(const Boosts& all, size_t begin, size_t end);  // those of queries [begin, end)

// The options of one search. Pointers are borrowed for the call.
struct SearchOptions {
  size_t k = 100;
  const math::ItemSet* allowed = nullptr;            // only these items; nullptr: all
  const math::Ragged<uint32_t>* excluded = nullptr;  // per query: rows to leave out, in any order; nullptr: none
  float min_score = -std::numeric_limits<float>::infinity();  // only scores >= this
  double recall = 0;  // recall wanted from an approximate index; 1: exact; 0: the index's own
  const Quota* quota = nullptr;
  const Boosts* boosts = nullptr;    // nullptr: none. Of a cascade they rank what the first model finds
  SearchExplain* explain = nullptr;  // filled in by the search; nullptr: nothing is measured
};

// Per query: item rows and scores by descending score, ties by ascending row; min(k, matching items) of them. That
// holds for an approximate index, too, except that min_score may leave out items it did not look for. Items that score
// NaN or -infinity are left out, so a query with a NaN gets an empty list. The order is right for queries of any
// length; a score too large for a float becomes the largest float.
struct SearchResult {
  math::Ragged<uint32_t> items;
  std::vector<float> scores;  // parallel to items.values
};

// Immutable. Several threads may call search(), each with its own thread pool.
class Index {
 public:
  virtual ~Index() = default;
  virtual std::string_view kind() const = 0;
  virtual size_t items() const = 0;
  virtual size_t dim() const = 0;
  SearchResult search(ThreadPool& pool, math::MatrixView<const float> queries, const SearchOptions& options) const;

 protected:
  // The search without a quota; search() has checked its arguments.
  virtual SearchResult best(ThreadPool& pool, math::MatrixView<const float> queries,
                            const SearchOptions& options) const = 0;

 private:
  // The search for queries of about length 1.
  SearchResult search_near(ThreadPool& pool, math::MatrixView<const float> queries, const SearchOptions& options) const;
  // Searches for each query alone; `adapt` changes the options for it.
  SearchResult one_by_one(ThreadPool& pool, math::MatrixView<const float> queries, const SearchOptions& options,
                          const std::function<void(size_t, SearchOptions&)>& adapt) const;
  SearchResult best_within_quota(ThreadPool& pool, math::MatrixView<const float> query,
                                 const SearchOptions& options) const;
};

// The exact index, the reference for the others. It scores every item in blocks of queries x items, without a full
// score matrix, and applies filters and exclusions inside, so it finds k items whenever k match. Borrows `vectors`
// [items, D], which outlive the index (usually the bundle's mapped section). A score's bits depend on its query and
// item alone, not on the block or the other queries of the call.
std::unique_ptr<Index> make_exact_index(math::RowsView vectors);

}  // namespace pagoda::index
