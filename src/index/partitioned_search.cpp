#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <utility>

#include "index/partitioned_search.h"
#include "core/error.h"
#include "index/block_scores.h"
#include "index/code_kernels.h"
#include "index/top_k.h"

namespace pagoda::index {
namespace {

constexpr size_t kMostQueries = 128;      // of a group: they share the reading of each list
constexpr size_t kGroupBytes = 16 << 20;  // what their orders and shortlists take
constexpr size_t kLeastQueries = 16;
constexpr uint64_t kRowsAPiece = 1 << 11;  // of a round, at least: some 10 us
constexpr size_t kPiecesAThread = 3;       // so that one which begins late or is slow is not waited for
constexpr size_t kRerankRows = 256;        // of one task
// A matching row scored alone, from its vector at a random place, costs as much as so many of a list scanned by codes.
constexpr double kRowCost = 16;

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

// Of one query's answer.
std::vector<uint64_t> keys_of(const SearchResult& found) {
  std::vector<uint64_t> keys;
  for (size_t i = 0; i < found.scores.size(); ++i) keys.push_back(rank_key(found.scores[i], found.items.values[i]));
  return keys;
}

// Whether its codes and its products with the items stay well within the range of floats: not of zeros, infinities, NaN, nor
// of numbers whose squares are none.
bool is_ordinary(std::span<const float> query, double largest_length) {
  constexpr double kShort = 1e-15, kLong = 1e15, kLongProduct = 1e36;
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

PartitionedIndex::PartitionedIndex(Partitions partitions, math::RowsView vectors)
    : p_(std::move(partitions)), vectors_(vectors), exact_(make_exact_index(vectors)) {
  check(p_.items == vectors.rows() && p_.dim == vectors.cols(), "the partitions are of these vectors");
}

struct PartitionedIndex::QueryGroup {
  size_t threads = 1;                // that share its rounds
  std::vector<ProbeState> probings;  // one a query
  std::vector<Excluded> excluded;    // one a query, or none
  double centres_s = 0, scan_s = 0, rerank_s = 0;
};

SearchResult PartitionedIndex::best(ThreadPool& pool, math::MatrixView<const float> queries,
                                    const SearchOptions& options) const {
  const double recall = options.recall > 0 ? options.recall : p_.recall;
  const uint64_t allowed = options.allowed ? options.allowed->count() : items();
  const auto matching = static_cast<double>(allowed);
  const double selectivity = items() > 0 ? matching / static_cast<double>(items()) : 0;
  const double k = static_cast<double>(options.k) / std::max(selectivity, 1e-12);
  const double scored = p_.curve.rows_scored(k, recall) * static_cast<double>(items());
  if (options.allowed && (matching <= static_cast<double>(options.k) || kRowCost * matching <= scored))
    return exact_->search(pool, queries, options);
  return search_lists(pool, queries, options,
                      {.stop_slack = p_.curve.stop_slack(k, recall),
                       .histogram = p_.curve.ks.empty() ? nullptr : &p_.curve.histogram(k),
                       .most_rows = options.allowed ? scored : std::numeric_limits<double>::infinity(),
                       .matching = allowed});
}

SearchResult PartitionedIndex::search_lists(ThreadPool& pool, math::MatrixView<const float> queries,
                                            const SearchOptions& options, const SearchParams& way) const {
  const size_t n = queries.rows(), k = std::min(options.k, items());
  std::vector<std::vector<uint64_t>> best(n);  // keys of each query
  SearchExplain* explain = options.explain;
  if (explain) explain->plan = "lists", explain->queries.assign(n, {});
  const uint64_t matching = way.matching ? *way.matching : options.allowed ? options.allowed->count() : items();

  // Queries that can not be coded, and those with more exclusions than it is worth to search past, go other ways.
  std::vector<uint32_t> usual;
  for (uint32_t q = 0; q < n && k > 0; ++q) {
    if (!is_ordinary(queries.row(q), p_.largest_length)) {
      best[q] = exactly(pool, queries, q, options);
      if (explain) explain->queries[q].vectors_scored = matching;
    } else if (options.excluded && (*options.excluded)[q].size() > std::max<size_t>(1000, k)) {
      math::ItemSet left = options.allowed ? *options.allowed : math::ItemSet(items(), true);
      for (const uint32_t row : (*options.excluded)[q]) left.remove(row);
      SearchOptions alone = options;
      SearchExplain part;
      alone.allowed = &left, alone.excluded = nullptr, alone.explain = explain ? &part : nullptr;
      best[q] = keys_of(search_lists(pool, queries.slice_rows(q, q + 1), alone,
                                     {way.stop_slack, way.histogram, way.most_rows, way.rerank}));
      if (explain) {
        explain->queries[q] = part.queries[0];
        explain->add_times(part);
      }
    } else {
      usual.push_back(q);
    }
  }

  const size_t bytes = p_.lists * 20 + k * 40;
  const size_t group = std::clamp(kGroupBytes / bytes, kLeastQueries, kMostQueries);
  const size_t groups = (usual.size() + group - 1) / group;
  std::vector<QueryGroup> done(groups);
  std::optional<ThreadPool::Awake> awake;
  if (groups == 1) awake.emplace(pool);  // its rounds are many short runs
  ProbeTarget goal{k, options.min_score, matching, way.stop_slack, way.histogram, way.most_rows};
  if (options.allowed) goal.too_many = kRowCost * static_cast<double>(matching);
  pool.run(groups, [&](size_t g) {
    const size_t first = g * group, last = std::min(usual.size(), first + group);
    if (groups == 1) done[g].threads = static_cast<size_t>(pool.size());
    search_group(pool, queries, std::span(usual).subspan(first, last - first), options, goal, way.rerank, done[g],
                 best);
  });
  if (explain)
    for (const auto& g : done)
      explain->centroids_s += g.centres_s, explain->scan_s += g.scan_s, explain->rerank_s += g.rerank_s;

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

void PartitionedIndex::search_group(ThreadPool& pool, math::MatrixView<const float> queries,
                                    std::span<const uint32_t> rows, const SearchOptions& options,
                                    const ProbeTarget& goal, bool reranked, QueryGroup& group,
                                    std::vector<std::vector<uint64_t>>& best) const {
  Stopwatch watch(options.explain != nullptr);
  for (size_t i = 0; i < rows.size(); ++i) group.probings.push_back(take_state());
  if (options.excluded)
    for (const uint32_t q : rows) group.excluded.emplace_back((*options.excluded)[q]);
  pool.run(rows.size(), [&](size_t i) {
    auto own = goal;
    if (options.excluded) own.k = std::min(own.k + group.excluded[i].size(), items());
    group.probings[i].begin(pool, p_, queries.row(rows[i]), own);
  });
  group.centres_s = watch.lap();
  while (std::any_of(group.probings.begin(), group.probings.end(), [](const ProbeState& p) { return !p.done(); }))
    scan_round(pool, group, options.allowed);
  group.scan_s = watch.lap();
  pool.run(rows.size(), [&](size_t i) {
    const auto& probing = group.probings[i];
    const auto& shortlist = probing.pool();
    best[rows[i]] = probing.gave_up() ? exactly(pool, queries, rows[i], options)
                    : !reranked       ? pooled(shortlist)
                                      : rerank(pool, queries.row(rows[i]), shortlist,
                                         options.excluded ? &group.excluded[i] : nullptr, goal.k, options.min_score);
    if (options.explain)
      options.explain->queries[rows[i]] = {probing.lists_probed(),
                                           probing.rows_scored() + (probing.gave_up() ? goal.matching : 0),
                                           probing.gave_up() ? 0 : shortlist.size()};
  });
  group.rerank_s = watch.lap();
  give_back_states(std::move(group.probings));
}

ProbeState PartitionedIndex::take_state() const {
  const std::lock_guard lock(spare_lock_);
  if (spare_.empty()) return {};
  ProbeState probing = std::move(spare_.back());
  spare_.pop_back();
  return probing;
}

void PartitionedIndex::give_back_states(std::vector<ProbeState> probings) const {
  const std::lock_guard lock(spare_lock_);
  for (auto& p : probings)
    if (spare_.size() < 2 * kMostQueries) spare_.push_back(std::move(p));
}

void PartitionedIndex::scan_round(ThreadPool& pool, QueryGroup& group, const math::ItemSet* allowed) const {
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
  const size_t pieces =
      group.threads == 1 ? 1 : std::clamp<size_t>(rows / kRowsAPiece, 1, kPiecesAThread * group.threads);
  std::vector<std::vector<uint64_t>> matched(pieces, std::vector<uint64_t>(group.probings.size()));
  std::vector<size_t> cuts{0};
  uint64_t before = 0;  // rows of the visits before the cut
  for (size_t piece = 1; piece < pieces; ++piece) {
    size_t at = cuts.back();
    for (; at < visits.size() && before < rows * piece / pieces; ++at) before += p_.counts[list_of(visits[at])];
    for (; at > 0 && at < visits.size() && list_of(visits[at]) == list_of(visits[at - 1]); ++at)
      before += p_.counts[list_of(visits[at])];
    cuts.push_back(at);
  }
  cuts.push_back(visits.size());
  std::vector<std::vector<RerankPool*>> lists(pieces);
  for (auto& p : group.probings) {  // all before the first piece changes the one that the others follow
    for (size_t piece = 1; piece < pieces; ++piece) p.piece(piece).follow(p.pool());
    for (size_t piece = 0; piece < pieces; ++piece) lists[piece].push_back(piece == 0 ? &p.pool() : &p.piece(piece));
  }
  pool.run(pieces, [&](size_t piece) {
    scan(std::span(visits).subspan(cuts[piece], cuts[piece + 1] - cuts[piece]), group, allowed, lists[piece],
         matched[piece]);
  });
  for (auto& p : group.probings)
    for (size_t piece = 1; piece < pieces; ++piece) p.pool().merge(p.piece(piece));
  for (size_t q = 0; q < group.probings.size(); ++q) {
    if (group.probings[q].done()) continue;
    uint64_t sum = 0;
    for (const auto& part : matched) sum += part[q];
    group.probings[q].end_round(scored[q], sum);
  }
}

void PartitionedIndex::scan(std::span<const uint64_t> visits, const QueryGroup& group, const math::ItemSet* allowed,
                            std::span<RerankPool* const> shortlists, std::span<uint64_t> matched) const {
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

// Of one query, from all rows that match.
std::vector<uint64_t> PartitionedIndex::exactly(ThreadPool& pool, math::MatrixView<const float> queries, size_t q,
                                                const SearchOptions& options) const {
  SearchOptions alone = options;
  math::Ragged<uint32_t> excluded;
  if (options.excluded) excluded.push((*options.excluded)[q]), alone.excluded = &excluded;
  alone.explain = nullptr;
  return keys_of(exact_->search(pool, queries.slice_rows(q, q + 1), alone));
}

std::vector<uint64_t> PartitionedIndex::pooled(const RerankPool& shortlist) const {
  std::vector<uint64_t> keys;
  for (size_t i = 0; i < shortlist.size(); ++i)
    keys.push_back(rank_key(shortlist.scores()[i], p_.rows[shortlist.positions()[i]]));
  sort_keys(keys);
  return keys;
}

std::vector<uint64_t> PartitionedIndex::rerank(ThreadPool& pool, std::span<const float> query,
                                               const RerankPool& shortlist, const Excluded* excluded, size_t k,
                                               float min_score) const {
  const size_t n = shortlist.size();
  const float least = std::max(min_score, std::numeric_limits<float>::lowest());
  std::vector<uint64_t> keys(n);
  std::vector<size_t> kept_of((n + kRerankRows - 1) / kRerankRows);
  pool.for_chunks(n, kRerankRows, [&](size_t begin, size_t end) {
    std::array<uint32_t, kRerankRows> rows;
    std::array<float, kRerankRows> scores;
    size_t in = 0, kept = begin;
    for (size_t i = begin; i < end; ++i) {
      rows[in] = p_.rows[shortlist.positions()[i]];
      in += !excluded || !excluded->has(rows[in]);
    }
    score_rows(vectors_, {rows.data(), in}, query, scores.data());
    for (size_t i = 0; i < in; ++i) {
      keys[kept] = rank_key(scores[i], rows[i]);
      kept += scores[i] >= least;  // a NaN is not
    }
    kept_of[begin / kRerankRows] = kept - begin;
  });
  size_t kept = 0;
  for (size_t c = 0; c < kept_of.size(); ++c) {
    std::copy_n(keys.begin() + static_cast<std::ptrdiff_t>(c * kRerankRows), kept_of[c],
                keys.begin() + static_cast<std::ptrdiff_t>(kept));
    kept += kept_of[c];
  }
  keys.resize(kept);
  sort_keys(keys);
  if (keys.size() > k) keys.resize(k);
  return keys;
}

std::unique_ptr<Index> make_partitioned_index(Partitions partitions, math::RowsView vectors) {
  return std::make_unique<PartitionedIndex>(std::move(partitions), vectors);
}

}  // namespace pagoda::index
