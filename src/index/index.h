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

// At most `most` items of a group, such as of an author: the ranking is gone down, and an item is passed over when `most` of
// its group have been taken. Searching goes on until there are k, or no more items that match.
struct Quota {
  static constexpr uint32_t kNoGroup = UINT32_MAX;  // of an item that counts for nothing
  std::span<const uint32_t> group_of;               // per item row
  uint32_t most = 1;
  std::span<const uint32_t> group_of_more{};  // of the rows after those, where there are two layers of items
  size_t items() const { return group_of.size() + group_of_more.size(); }
  uint32_t group(uint32_t row) const {
    return row < group_of.size() ? group_of[row] : group_of_more[row - group_of.size()];
  }
};

// What a search did; for people, and for tests.
struct SearchExplain {
  struct Query {
    uint64_t lists_probed = 0;
    uint64_t vectors_scored = 0;  // by their codes, or exactly where there are none
    uint64_t vectors_reranked = 0;
    Query& operator+=(const Query& more) {
      lists_probed += more.lists_probed;
      vectors_scored += more.vectors_scored;
      vectors_reranked += more.vectors_reranked;
      return *this;
    }
  };
  std::string plan;        // "all rows", "matching rows" (few match: they alone are scored) or "lists"
  double selectivity = 1;  // the share of the items that the filter lets in
  std::vector<Query> queries;
  // Summed over threads.
  double centroids_s = 0, scan_s = 0, rerank_s = 0;
  void add_times(const SearchExplain& part) {
    centroids_s += part.centroids_s, scan_s += part.scan_s, rerank_s += part.rerank_s;
  }
};

// What travels with a search; nothing of it is index state. Views are borrowed for the call.
struct SearchOptions {
  size_t k = 100;
  const math::ItemSet* allowed = nullptr;  // only these items; nullptr: all
  const math::Ragged<uint32_t>* excluded =
      nullptr;  // per query: rows that must not come back (any order); nullptr: none
  float min_score = -std::numeric_limits<float>::infinity();  // only scores >= this
  double recall = 0;                                          // wanted of an approximate index, 1: exact; 0: its own
  const Quota* quota = nullptr;
  SearchExplain* explain = nullptr;  // filled in; nullptr: nothing is measured
};

// Per query: rows and scores, score descending, ties by row rising; min(k, matching items) of them (of an approximate index,
// too, unless min_score leaves out some that it did not look for). A score of NaN or
// -infinity never comes back, so a query with a NaN in it gets an empty list. The order holds for queries of any length; a
// score beyond a float is the largest one.
struct SearchResult {
  math::Ragged<uint32_t> items;
  std::vector<float> scores;  // parallel to items.values
};

// Immutable; search may be called by several threads, each with its own pool.
class Index {
 public:
  virtual ~Index() = default;
  virtual std::string_view kind() const = 0;
  virtual size_t items() const = 0;
  virtual size_t dim() const = 0;
  SearchResult search(ThreadPool& pool, math::MatrixView<const float> queries, const SearchOptions& options) const;

 protected:
  // Without a quota; what search() was given has been checked.
  virtual SearchResult best(ThreadPool& pool, math::MatrixView<const float> queries,
                            const SearchOptions& options) const = 0;

 private:
  // Of queries whose length is about 1.
  SearchResult search_near(ThreadPool& pool, math::MatrixView<const float> queries, const SearchOptions& options) const;
  // Each alone, with what `adapt` makes of the options for it.
  SearchResult one_by_one(ThreadPool& pool, math::MatrixView<const float> queries, const SearchOptions& options,
                          const std::function<void(size_t, SearchOptions&)>& adapt) const;
  SearchResult best_within_quota(ThreadPool& pool, math::MatrixView<const float> query,
                                 const SearchOptions& options) const;
};

// The reference: scores every item, in blocks of queries x items, and never holds a full score matrix. Filters and
// exclusions are applied inside, so k items come back whenever k match. `vectors` [items, D] is borrowed and outlives
// the index (it is the bundle's mapped section). A score is the same bits whatever block its query falls into, and
// whatever other queries stand beside it.
std::unique_ptr<Index> make_exact_index(math::RowsView vectors);

}  // namespace pagoda::index
