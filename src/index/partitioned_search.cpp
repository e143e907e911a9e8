#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <utility>

#include "core/error.h"
#include "index/block_scores.h"
#include "index/code_kernels.h"
#include "index/partitioned_search.h"
#include "index/top_k.h"

namespace pagoda {
namespace {

constexpr size_t kMostQueries = 128;      // of a group: they share the reading of each list
constexpr size_t kGroupBytes = 16 << 20;  // what their orders and shortlists take
constexpr size_t kLeastQueries = 16;
constexpr uint64_t kRowsToShare = 1 << 15;  // rows of a round below which one thread is as fast
constexpr size_t kRerankRows = 512;
// A matching row scored alone, from its vector at a random place, costs as much as so many of a list scanned by codes.
constexpr double kRowCost = 4;

double seconds_now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

// Seconds since the last look; 0 when nothing is measured.
class Stopwatch {
 public:
  explicit Stopwatch(bool on) : on_(on), last_(on ? seconds_now() : 0) {}
  double lap() {
    if (!on_) return 0;
    const double now = seconds_now();
    return now - std::exchange(last_, now);
  }

 private:
  bool on_;
  double last_;
};

// A visit of one list by one query of the group: list << 32 | query.
uint32_t list_of(uint64_t visit) { return static_cast<uint32_t>(visit >> 32); }
uint32_t query_of(uint64_t visit) { return static_cast<uint32_t>(visit); }

// Whether its codes and its products with the items stay well within the range of floats: not of zeros, infinities, NaN, nor
// of numbers whose squares are none.
bool is_ordinary(std::span<const float> query, double largest_length) {
  constexpr double kShort = 1e-15, kLong = 1e15, kLongProduct = 1e30;
  double squared = 0;
  for (const double x : query) squared += x * x;
  const double length = std::sqrt(squared);
  return length >= kShort && length <= kLong && length * largest_length <= kLongProduct;
}

}  // namespace

// The rows that must not come back to one query.
class PartitionedIndex::Excluded {
 public:
  explicit Excluded(std::span<const uint32_t> rows) : rows_(rows.begin(), rows.end()) {
    std::sort(rows_.begin(), rows_.end());
    rows_.erase(std::unique(rows_.begin(), rows_.end()), rows_.end());
    for (const uint32_t row : rows_) seen_[row >> 6 & 63] |= uint64_t{1} << (row & 63);
  }
  size_t size() const { return rows_.size(); }
  const std::vector<uint32_t>& rows() const { return rows_; }
  bool has(uint32_t row) const {
    return (seen_[row >> 6 & 63] >> (row & 63) & 1) && std::binary_search(rows_.begin(), rows_.end(), row);
  }

 private:
  std::vector<uint32_t> rows_;
  std::array<uint64_t, 64> seen_{};  // of row % 4096: most rows are told apart by it
};

PartitionedIndex::PartitionedIndex(Partitions partitions, RowsView vectors)
    : p_(std::move(partitions)), vectors_(vectors), exact_(make_exact_index(vectors)) {
  check(p_.items == vectors.rows() && p_.dim == vectors.cols(), "the partitions are of these vectors");
}

struct PartitionedIndex::Group {
  size_t first = 0;                // query
  std::vector<Probing> probings;   // one a query
  std::vector<Excluded> excluded;  // one a query, or none
  double centres_s = 0, scan_s = 0, rerank_s = 0;
};

SearchResult PartitionedIndex::best(ThreadPool& pool, MatrixView<const float> queries,
                                    const SearchOptions& options) const {
  const double recall = options.recall > 0 ? options.recall : p_.recall;
  const double matching =
      options.allowed ? static_cast<double>(options.allowed->count()) : static_cast<double>(items());
  const double selectivity = items() > 0 ? matching / static_cast<double>(items()) : 0;
  const double k = static_cast<double>(options.k) / std::max(selectivity, 1e-12);
  const double scored = p_.curve.rows_scored(k, recall) * static_cast<double>(items());
  if (options.allowed && (matching <= static_cast<double>(options.k) || kRowCost * matching <= scored))
    return exact_->search(pool, queries, options);
  return search_lists(pool, queries, options,
                      {p_.curve.slack(k, recall), p_.curve.ks.empty() ? nullptr : &p_.curve.tail(k)});
}

SearchResult PartitionedIndex::search_lists(ThreadPool& pool, MatrixView<const float> queries,
                                            const SearchOptions& options, const Way& way) const {
  const size_t n = queries.rows(), k = std::min(options.k, items());
  std::vector<std::vector<uint64_t>> best(n);  // keys of each query
  SearchExplain* explain = options.explain;
  if (explain) explain->plan = "lists", explain->queries.assign(n, {});
  const uint64_t matching = options.allowed ? options.allowed->count() : items();

  // Queries that can not be coded, and those with more exclusions than it is worth to search past, go other ways.
  std::vector<uint32_t> usual;
  for (uint32_t q = 0; q < n && k > 0; ++q) {
    if (!is_ordinary(queries.row(q), p_.largest_length)) {
      SearchOptions alone = options;
      Ragged<uint32_t> excluded;
      if (options.excluded) excluded.push((*options.excluded)[q]), alone.excluded = &excluded;
      alone.explain = nullptr;
      const auto found = exact_->search(pool, queries.slice_rows(q, q + 1), alone);
      for (size_t i = 0; i < found.scores.size(); ++i)
        best[q].push_back(rank_key(found.scores[i], found.items.values[i]));
      if (explain) explain->queries[q].vectors_scored = matching;
    } else if (options.excluded && (*options.excluded)[q].size() > std::max<size_t>(1000, k)) {
      ItemSet left = options.allowed ? *options.allowed : ItemSet(items(), true);
      for (const uint32_t row : (*options.excluded)[q]) left.remove(row);
      SearchOptions alone = options;
      SearchExplain part;
      alone.allowed = &left, alone.excluded = nullptr, alone.explain = explain ? &part : nullptr;
      const auto found = search_lists(pool, queries.slice_rows(q, q + 1), alone, way);
      for (size_t i = 0; i < found.scores.size(); ++i)
        best[q].push_back(rank_key(found.scores[i], found.items.values[i]));
      if (explain) {
        explain->queries[q] = part.queries[0];
        explain->centres_s += part.centres_s, explain->scan_s += part.scan_s, explain->rerank_s += part.rerank_s;
      }
    } else {
      usual.push_back(q);
    }
  }

  const size_t bytes = p_.lists * 20 + k * 40;
  const size_t group = std::clamp(kGroupBytes / bytes, kLeastQueries, kMostQueries);
  const size_t groups = (usual.size() + group - 1) / group;
  std::vector<Group> done(groups);
  pool.run(groups, [&](size_t g) {
    const size_t first = g * group, last = std::min(usual.size(), first + group);
    search_group(pool, queries, std::span(usual).subspan(first, last - first), options,
                 {k, options.min_score, matching, way.slack, way.tail}, way.rerank, done[g], best);
  });
  if (explain)
    for (const auto& g : done)
      explain->centres_s += g.centres_s, explain->scan_s += g.scan_s, explain->rerank_s += g.rerank_s;

  SearchResult result;
  size_t found = 0;
  for (const auto& keys : best) found += keys.size();
  result.items.values.reserve(found), result.scores.reserve(found);
  for (const auto& keys : best) {
    for (const uint64_t key : keys) {
      result.items.values.push_back(row_of_key(key));
      result.scores.push_back(score_of_key(key));
    }
    result.items.close();
  }
  return result;
}

void PartitionedIndex::search_group(ThreadPool& pool, MatrixView<const float> queries, std::span<const uint32_t> rows,
                                    const SearchOptions& options, const ProbingGoal& goal, bool reranked, Group& group,
                                    std::vector<std::vector<uint64_t>>& best) const {
  Stopwatch watch(options.explain != nullptr);
  for (size_t i = 0; i < rows.size(); ++i) group.probings.push_back(take_probing());
  if (options.excluded)
    for (const uint32_t q : rows) group.excluded.emplace_back((*options.excluded)[q]);
  pool.run(rows.size(), [&](size_t i) {
    auto own = goal;
    if (options.excluded) own.k = std::min(own.k + group.excluded[i].size(), items());
    group.probings[i].begin(p_, queries.row(rows[i]), own);
  });
  group.centres_s = watch.lap();
  while (std::any_of(group.probings.begin(), group.probings.end(), [](const Probing& p) { return !p.done(); }))
    scan_round(pool, group, options.allowed);
  group.scan_s = watch.lap();
  pool.run(rows.size(), [&](size_t i) {
    const auto& shortlist = group.probings[i].shortlist();
    best[rows[i]] = !reranked ? shortlisted(shortlist)
                              : rerank(pool, queries.row(rows[i]), shortlist,
                                       options.excluded ? &group.excluded[i] : nullptr, goal.k, options.min_score);
    if (options.explain)
      options.explain->queries[rows[i]] = {group.probings[i].lists_probed(), group.probings[i].rows_scored(),
                                           shortlist.size()};
  });
  group.rerank_s = watch.lap();
  give_back(std::move(group.probings));
}

Probing PartitionedIndex::take_probing() const {
  const std::lock_guard lock(spare_lock_);
  if (spare_.empty()) return {};
  Probing probing = std::move(spare_.back());
  spare_.pop_back();
  return probing;
}

void PartitionedIndex::give_back(std::vector<Probing> probings) const {
  const std::lock_guard lock(spare_lock_);
  for (auto& p : probings)
    if (spare_.size() < 2 * kMostQueries) spare_.push_back(std::move(p));
}

void PartitionedIndex::scan_round(ThreadPool& pool, Group& group, const ItemSet* allowed) const {
  std::vector<uint64_t> visits;
  std::vector<uint64_t> scored(group.probings.size());
  uint64_t rows = 0;
  for (size_t q = 0; q < group.probings.size(); ++q)
    for (const uint32_t l : group.probings[q].round()) {
      visits.push_back(uint64_t{l} << 32 | q);
      scored[q] += p_.counts[l], rows += p_.counts[l];
    }
  if (group.probings.size() > 1) std::sort(visits.begin(), visits.end());

  // Pieces end where a list ends. What a shortlist holds in the end does not depend on how a round is cut, so it may be cut
  // by the number of threads.
  const auto threads = static_cast<size_t>(pool.size());
  const size_t pieces = rows >= kRowsToShare * threads ? threads : 1;
  std::vector<std::vector<uint64_t>> matched(pieces, std::vector<uint64_t>(group.probings.size()));
  if (pieces == 1) {
    std::vector<Shortlist*> lists;
    for (auto& p : group.probings) lists.push_back(&p.shortlist());
    scan(visits, group, allowed, lists, matched[0]);
  } else {
    std::vector<size_t> cuts{0};
    for (size_t piece = 1; piece < pieces; ++piece) {
      size_t at = std::max(cuts.back(), visits.size() * piece / pieces);
      while (at > 0 && at < visits.size() && list_of(visits[at]) == list_of(visits[at - 1])) ++at;
      cuts.push_back(at);
    }
    cuts.push_back(visits.size());
    std::vector<std::vector<Shortlist>> parts(pieces);
    for (size_t piece = 1; piece < pieces; ++piece)  // before the first piece changes what they are made after
      for (const auto& p : group.probings) parts[piece].push_back(p.shortlist().another());
    pool.run(pieces, [&](size_t piece) {
      std::vector<Shortlist*> lists;
      if (piece == 0) {
        for (auto& p : group.probings) lists.push_back(&p.shortlist());
      } else {
        for (auto& part : parts[piece]) lists.push_back(&part);
      }
      scan(std::span(visits).subspan(cuts[piece], cuts[piece + 1] - cuts[piece]), group, allowed, lists,
           matched[piece]);
    });
    for (size_t piece = 1; piece < pieces; ++piece)
      for (size_t q = 0; q < group.probings.size(); ++q) group.probings[q].shortlist().merge(parts[piece][q]);
  }
  for (size_t q = 0; q < group.probings.size(); ++q) {
    if (group.probings[q].done()) continue;
    uint64_t sum = 0;
    for (const auto& part : matched) sum += part[q];
    group.probings[q].end_round(scored[q], sum);
  }
}

void PartitionedIndex::scan(std::span<const uint64_t> visits, const Group& group, const ItemSet* allowed,
                            std::span<Shortlist* const> shortlists, std::span<uint64_t> matched) const {
  constexpr size_t kTile = 8;
  const auto& kernels = code_kernels();
  const size_t groups = code_groups(p_.dim), bytes = block_bytes(groups);
  std::vector<uint16_t> masks;
  CodeScan scans[kTile];
  for (size_t begin = 0; begin < visits.size();) {
    const uint32_t list = list_of(visits[begin]);
    size_t end = begin + 1;
    while (end < visits.size() && list_of(visits[end]) == list) ++end;
    const size_t first = p_.first_block[list], count = p_.counts[list];
    if (end < visits.size()) {  // the first lines of the next list; the hardware finds the rest
      const uint8_t* next = p_.codes.data() + p_.first_block[list_of(visits[end])] * bytes;
      for (size_t line = 0; line < 16; ++line) __builtin_prefetch(next + 64 * line, 0, 2);
    }
    uint64_t let_in = count;
    if (allowed) {
      masks.resize(blocks_of(count));
      kernels.masks(allowed->words().data(), p_.rows.data() + first * kBlockRows, count, masks.data());
      let_in = 0;
      for (const uint16_t m : masks) let_in += static_cast<uint64_t>(__builtin_popcount(m));
    }
    for (; begin < end; begin += std::min(kTile, end - begin)) {
      const size_t n = std::min(kTile, end - begin);
      for (size_t i = 0; i < n; ++i) {
        const uint32_t q = query_of(visits[begin + i]);
        matched[q] += let_in;
        group.probings[q].aim(list, *shortlists[q], scans[i]);
        shortlists[q]->open(count, scans[i]);
      }
      if (let_in > 0)
        kernels.select(p_.codes.data() + first * bytes, count, groups, allowed ? masks.data() : nullptr,
                       static_cast<uint32_t>(first * kBlockRows), scans, n);
      for (size_t i = 0; i < n; ++i) shortlists[query_of(visits[begin + i])]->close(scans[i]);
    }
  }
}

std::vector<uint64_t> PartitionedIndex::shortlisted(const Shortlist& shortlist) const {
  std::vector<uint64_t> keys;
  for (size_t i = 0; i < shortlist.size(); ++i)
    keys.push_back(rank_key(shortlist.scores()[i], p_.rows[shortlist.positions()[i]]));
  sort_keys(keys);
  return keys;
}

std::vector<uint64_t> PartitionedIndex::rerank(ThreadPool& pool, std::span<const float> query,
                                               const Shortlist& shortlist, const Excluded* excluded, size_t k,
                                               float min_score) const {
  std::vector<uint32_t> rows;
  rows.reserve(shortlist.size());
  for (size_t i = 0; i < shortlist.size(); ++i) {
    const uint32_t row = p_.rows[shortlist.positions()[i]];
    if (!excluded || !excluded->has(row)) rows.push_back(row);
  }
  std::vector<float> scores(rows.size());
  pool.for_chunks(rows.size(), kRerankRows, [&](size_t begin, size_t end) {
    score_rows(vectors_, std::span(rows).subspan(begin, end - begin), query, scores.data() + begin);
  });
  const float least = std::max(min_score, std::numeric_limits<float>::lowest());
  std::vector<uint64_t> keys(rows.size());
  size_t kept = 0;
  for (size_t i = 0; i < rows.size(); ++i) {
    keys[kept] = rank_key(scores[i], rows[i]);
    kept += scores[i] >= least;  // a NaN is not
  }
  keys.resize(kept);
  sort_keys(keys);
  if (keys.size() > k) keys.resize(k);
  return keys;
}

std::unique_ptr<Index> make_partitioned_index(Partitions partitions, RowsView vectors) {
  return std::make_unique<PartitionedIndex>(std::move(partitions), vectors);
}

}  // namespace pagoda
