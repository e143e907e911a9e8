// Ranking metrics of retrieved lists against held-out items, over the full catalogue.
//
// For a user with R relevant (test) items, of which the first K of the list holds h at ranks r_1 < r_2 < ...:
//   recall@K   = h / R                              hit_rate@K = [h > 0]
//   ndcg@K     = sum_i 1 / log2(r_i + 1) / sum_{r=1..min(K,R)} 1 / log2(r + 1)
//   mrr@K      = 1 / r_1, 0 without a hit           precision@K = h / K
//   map@K      = sum_i i / r_i / min(K, R)
// averaged over the users with R > 0. Relevant items outside the catalogue cannot be hit and count in R.
//
// Ties never count as hits: within a group of equal scores the relevant items are taken to stand last, and when the
// list is cut inside the group there is no telling how many others it has, so its relevant items are misses. To let a
// cut group at K be seen, retrieve one item more than the greatest K; a list shorter than that is taken as complete.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "evaluate/item_groups.h"
#include "evaluate/metric_name.h"

namespace pagoda::evaluate {

struct RankedUser {
  std::span<const uint32_t> items;     // best first, up to max K + 1, each once
  std::span<const float> scores;       // parallel, never rising
  std::span<const uint32_t> relevant;  // catalogue rows, rising, each once
  size_t relevant_outside = 0;         // relevant items that the catalogue does not have
  size_t history = 0;                  // the user's training positives
  size_t relevant_in_history = 0;      // relevant items that the user had before
};

// One figure for each K, in the order of RankingReport::ks. NaN: there was nobody, or nothing, to measure it on.
using AtK = std::vector<double>;

// The figures of a group of items.
struct ItemBucket {
  std::string name;
  uint64_t items = 0, test_positives = 0, train_positives = 0;
  AtK recommended;  // its share of the first K of every list
  AtK recall;       // hits on the bucket's positives / its positives; NaN without any
};

struct ActivityBucket {
  size_t shortest = 0, longest = 0;  // training positives of its users
  uint64_t users = 0;
  AtK recall;  // averaged over its users
};

struct RankingReport : PerMetric<AtK> {
  std::vector<size_t> ks;
  uint64_t users = 0;  // with at least one relevant item
  uint64_t items = 0;
  uint64_t test_positives = 0, outside_catalogue = 0;  // pairs; the second is part of the first
  uint64_t in_history = 0;  // pairs of the test part that the user had before; part of the first too

  std::vector<ItemBucket> by_item_popularity;    // ItemPopularity::buckets
  std::vector<ItemBucket> by_popularity_decile;  // ItemPopularity::deciles
  ItemBucket zero_train_positives;               // ItemPopularity::unseen
  std::vector<ItemBucket> by_item_age;           // empty when no age is known
  // Users cut into up to five parts of about equal size by history length; users of one length stay together.
  std::vector<ActivityBucket> by_user_activity;

  // Of the first K of every list:
  AtK coverage;            // share of the catalogue that was recommended to anyone
  AtK gini;                // of the items' recommendation counts over the whole catalogue, 0 = even
  AtK average_popularity;  // mean train count of a recommendation
  AtK long_tail_share;     // share of recommendations outside the top 20% of the items by train count
};

// The metrics of each user alone, [K][user] in the order they were added: what a bootstrap over users resamples.
using UserMetrics = PerMetric<std::vector<std::vector<double>>>;

// Adds users up. Not thread-safe: for parallel work cut the users into chunks by their number alone, give each chunk an
// accumulator and merge them in order; the result then has the same bits on any number of threads.
// Memory: 4 bytes an item and K.
class RankingAccumulator {
 public:
  // ks rising, > 0. Popularity and ages (nullptr: unknown) outlive it.
  RankingAccumulator(std::vector<size_t> ks, const ItemPopularity& popularity, const ItemGroups* ages = nullptr);
  void keep_users(UserMetrics* users);  // add() also appends to it; it outlives this
  void add(const RankedUser& user);     // a user without relevant items is ignored
  void merge(const RankingAccumulator& later);
  RankingReport report() const;

 private:
  struct HitCount {
    uint64_t positives = 0;
    std::vector<uint64_t> hits;  // [K]
  };
  struct Cut {
    const ItemGroups* groups;
    std::vector<HitCount> counts;  // of each group
  };
  struct Activity {
    uint64_t users = 0;
    AtK recall;  // summed
  };

  void find_hits(const RankedUser& user);
  std::vector<ItemBucket> bucket_reports(const Cut& cut) const;

  std::vector<size_t> ks_;
  const ItemPopularity* popularity_;
  UserMetrics* kept_ = nullptr;
  uint64_t users_ = 0, test_positives_ = 0, outside_ = 0, in_history_ = 0;
  PerMetric<AtK> sums_;                            // over users
  std::vector<Cut> cuts_;                          // buckets, deciles, unseen; ages where they are known
  std::map<size_t, Activity> by_history_;          // by history length
  std::vector<std::vector<uint32_t>> exposure_;    // [K][item]: times in the first K
  std::vector<std::pair<size_t, uint32_t>> hits_;  // of the user at hand: rank from 1, row; ranks rising
};

// What a report does not know of its evaluation.
struct EvaluationRun {
  std::string split;      // "test", "validation"
  std::string chosen_on;  // what model choice looked at
  double seconds = 0;
  std::string fingerprint;
  std::string repeats = {};    // "miss" or "keep": whether the lists leave out what the user had before
  std::string test_rows = {};  // fingerprint of the rows it was judged by (dataset/dataset.h)
};

// One JSON object with its keys in a fixed order, one key per figure, such as "recall@20"; NaN is null.
std::string ranking_json(const RankingReport& report, const EvaluationRun& run);

}  // namespace pagoda::evaluate
