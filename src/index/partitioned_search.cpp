#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <utility>

#include "index/partitioned_search.h"
#include "core/error.h"
#include "index/block_scores.h"
#include "index/boosted_search.h"
#include "index/code_kernels.h"
#include "math/top_k.h"

namespace pagoda::index {
namespace {

constexpr size_t kMaxQueries = 128;       // of a group; its queries share one read of each list
constexpr size_t kGroupBytes = 16 << 20;  // memory of a group's list orders and rerank pools
constexpr size_t kMinQueries = 16;
constexpr uint64_t kRowsPerPiece = 1 << 11;  // at least; about 10 us of work
constexpr size_t kPiecesPerThread = 3;       // so that no thread waits long for a slow piece
constexpr size_t kRerankRows = 256;          // of one task
// Scoring one matching row exactly, from a random place in memory, costs as much as scanning so many rows by codes.
constexpr double kRowCost = 16;

double seconds_now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

// Measures laps in seconds; lap() returns 0 when it is off.
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

// A visit is one list probed for one query of the group: list << 32 | query.
uint32_t list_of(uint64_t visit) { return static_cast<uint32_t>(visit >> 32); }
uint32_t query_of(uint64_t visit) { return static_cast<uint32_t>(visit); }

// The rank keys of one query's result.
std::vector<uint64_t> keys_of(const SearchResult& found) {
  std::vector<uint64_t> keys;
  for (size_t i = 0; i < found.scores.size(); ++i)
    keys.push_back(math::rank_key(found.scores[i], found.items.values[i]));
  return keys;
}

// Whether the query's codes and its products with the items stay well within the range of floats. False for zeros,
// infinities, NaN, and numbers whose squares overflow or underflow.
bool is_ordinary(std::span<const float> query, double largest_length) {
  constexpr double kShort = 1e-15, kLong = 1e15, kLongProduct = 1e36;
  double squared = 0;
  for (const double x : query) squared += x * x;
  const double length = std::sqrt(squared);
  return length >= kShort && length <= kLong && length * largest_length <= kLongProduct;
}

}  // namespace

// The rows excluded from one query's result.
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
  std::array<uint64_t, 64> seen_{};  // a bit for each row % 4096, which rules out most rows
};

PartitionedIndex::PartitionedIndex(Partitions partitions, math::RowsView vectors)
    : p_(std::move(partitions)), vectors_(vectors), exact_(make_exact_index(vectors)) {
  check(p_.items == vectors.rows() && p_.dim == vectors.cols(), "the partitions belong to these vectors");
}

struct PartitionedIndex::QueryGroup {
  size_t threads = 1;              // that share a round
  std::vector<ProbeState> states;  // one per query
  std::vector<Excluded> excluded;  // one per query, or none
  double centroids_s = 0, scan_s = 0, rerank_s = 0;
};

SearchResult PartitionedIndex::best(ThreadPool& pool, math::MatrixView<const float> queries,
                                    const SearchOptions& options) const {
  if (options.boosts)
    return boosted_search(pool, vectors_, queries, options,
                          [&](const SearchOptions& plain) { return best(pool, queries, plain); });
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
                       .max_rows = options.allowed ? scored : std::numeric_limits<double>::infinity(),
                       .matching = allowed});
}

SearchResult PartitionedIndex::search_lists(ThreadPool& pool, math::MatrixView<const float> queries,
                                            const SearchOptions& options, const SearchParams& params) const {
  const size_t n = queries.rows(), k = std::min(options.k, items());
  std::vector<std::vector<uint64_t>> best(n);  // rank keys of each query
  SearchExplain* explain = options.explain;
  if (explain) {
    explain->plan = "lists";
    explain->queries.assign(n, {});
  }
  const uint64_t matching = params.matching ? *params.matching : options.allowed ? options.allowed->count() : items();

  // Queries that cannot be coded are searched exactly; exclusions too many to search past become a filter.
  std::vector<uint32_t> usual;
  for (uint32_t q = 0; q < n && k > 0; ++q) {
    if (!is_ordinary(queries.row(q), p_.largest_length)) {
      best[q] = search_exactly(pool, queries, q, options);
      if (explain) explain->queries[q].vectors_scored = matching;
    } else if (options.excluded && (*options.excluded)[q].size() > std::max<size_t>(1000, k)) {
      math::ItemSet left = options.allowed ? *options.allowed : math::ItemSet(items(), true);
      for (const uint32_t row : (*options.excluded)[q]) left.remove(row);
      SearchOptions alone = options;
      SearchExplain part;
      alone.allowed = &left;
      alone.excluded = nullptr;
      alone.explain = explain ? &part : nullptr;
      best[q] = keys_of(search_lists(pool, queries.slice_rows(q, q + 1), alone,
                                     {params.stop_slack, params.histogram, params.max_rows, params.rerank}));
      if (explain) {
        explain->queries[q] = part.queries[0];
        explain->add_times(part);
      }
    } else {
      usual.push_back(q);
    }
  }

  const size_t bytes = p_.lists * 20 + k * 40;
  const size_t group = std::clamp(kGroupBytes / bytes, kMinQueries, kMaxQueries);
  const size_t groups = (usual.size() + group - 1) / group;
  std::vector<QueryGroup> done(groups);
  std::optional<ThreadPool::Awake> awake;
  if (groups == 1) awake.emplace(pool);  // its rounds are many and short
  ProbeTarget target{k, options.min_score, matching, params.stop_slack, params.histogram, params.max_rows};
  if (options.allowed) target.max_rows_left = kRowCost * static_cast<double>(matching);
  pool.run(groups, [&](size_t g) {
    const size_t first = g * group, last = std::min(usual.size(), first + group);
    if (groups == 1) done[g].threads = static_cast<size_t>(pool.size());
    search_group(pool, queries, std::span(usual).subspan(first, last - first), options, target, params.rerank, done[g],
                 best);
  });
  if (explain)
    for (const auto& g : done) {
      explain->centroids_s += g.centroids_s;
      explain->scan_s += g.scan_s;
      explain->rerank_s += g.rerank_s;
    }

  SearchResult result;
  size_t found = 0;
  for (const auto& keys : best) found += keys.size();
  result.items.values.reserve(found);
  result.scores.reserve(found);
  for (const auto& keys : best) {
    for (const uint64_t key : keys) {
      result.items.values.push_back(math::row_of_key(key));
      result.scores.push_back(math::score_of_key(key));
    }
    result.items.close();
  }
  return result;
}

void PartitionedIndex::search_group(ThreadPool& pool, math::MatrixView<const float> queries,
                                    std::span<const uint32_t> rows, const SearchOptions& options,
                                    const ProbeTarget& target, bool with_rerank, QueryGroup& group,
                                    std::vector<std::vector<uint64_t>>& best) const {
  Stopwatch watch(options.explain != nullptr);
  for (size_t i = 0; i < rows.size(); ++i) group.states.push_back(take_state());
  if (options.excluded)
    for (const uint32_t q : rows) group.excluded.emplace_back((*options.excluded)[q]);
  pool.run(rows.size(), [&](size_t i) {
    auto own = target;
    if (options.excluded) own.k = std::min(own.k + group.excluded[i].size(), items());
    group.states[i].begin(pool, p_, queries.row(rows[i]), own);
  });
  group.centroids_s = watch.lap();
  while (std::any_of(group.states.begin(), group.states.end(), [](const ProbeState& p) { return !p.done(); }))
    scan_round(pool, group, options.allowed);
  group.scan_s = watch.lap();
  pool.run(rows.size(), [&](size_t i) {
    const auto& state = group.states[i];
    const auto& rerank_pool = state.pool();
    best[rows[i]] = state.gave_up() ? search_exactly(pool, queries, rows[i], options)
                    : !with_rerank
                        ? keys_by_code_score(rerank_pool)
                        : rerank(pool, queries.row(rows[i]), rerank_pool,
                                 options.excluded ? &group.excluded[i] : nullptr, target.k, options.min_score);
    if (options.explain)
      options.explain->queries[rows[i]] = {state.lists_probed(),
                                           state.rows_scored() + (state.gave_up() ? target.matching : 0),
                                           state.gave_up() ? 0 : rerank_pool.size()};
  });
  group.rerank_s = watch.lap();
  give_back_states(std::move(group.states));
}

ProbeState PartitionedIndex::take_state() const {
  const std::lock_guard lock(spare_mutex_);
  if (spare_.empty()) return {};
  ProbeState state = std::move(spare_.back());
  spare_.pop_back();
  return state;
}

void PartitionedIndex::give_back_states(std::vector<ProbeState> states) const {
  const std::lock_guard lock(spare_mutex_);
  for (auto& p : states)
    if (spare_.size() < 2 * kMaxQueries) spare_.push_back(std::move(p));
}

void PartitionedIndex::scan_round(ThreadPool& pool, QueryGroup& group, const math::ItemSet* allowed) const {
  std::vector<uint64_t> visits;
  std::vector<uint64_t> scored(group.states.size());
  uint64_t rows = 0;
  for (size_t q = 0; q < group.states.size(); ++q)
    for (const uint32_t l : group.states[q].round()) {
      visits.push_back(uint64_t{l} << 32 | q);
      scored[q] += p_.counts[l];
      rows += p_.counts[l];
    }
  if (group.states.size() > 1) std::sort(visits.begin(), visits.end());

  // A piece ends where a list ends. A rerank pool's final contents do not depend on how a round is divided, so the
  // number of pieces may depend on the number of threads.
  const size_t pieces =
      group.threads == 1 ? 1 : std::clamp<size_t>(rows / kRowsPerPiece, 1, kPiecesPerThread * group.threads);
  std::vector<std::vector<uint64_t>> matched(pieces, std::vector<uint64_t>(group.states.size()));
  std::vector<size_t> cuts{0};
  uint64_t before = 0;  // rows of the visits before this piece
  for (size_t piece = 1; piece < pieces; ++piece) {
    size_t at = cuts.back();
    for (; at < visits.size() && before < rows * piece / pieces; ++at) before += p_.counts[list_of(visits[at])];
    for (; at > 0 && at < visits.size() && list_of(visits[at]) == list_of(visits[at - 1]); ++at)
      before += p_.counts[list_of(visits[at])];
    cuts.push_back(at);
  }
  cuts.push_back(visits.size());
  std::vector<std::vector<RerankPool*>> lists(pieces);
  for (auto& p : group.states) {  // before piece 0 changes the pool that the others are forked from
    for (size_t piece = 1; piece < pieces; ++piece) p.piece(piece).fork_from(p.pool());
    for (size_t piece = 0; piece < pieces; ++piece) lists[piece].push_back(piece == 0 ? &p.pool() : &p.piece(piece));
  }
  pool.run(pieces, [&](size_t piece) {
    scan(std::span(visits).subspan(cuts[piece], cuts[piece + 1] - cuts[piece]), group, allowed, lists[piece],
         matched[piece]);
  });
  for (auto& p : group.states)
    for (size_t piece = 1; piece < pieces; ++piece) p.pool().merge(p.piece(piece));
  for (size_t q = 0; q < group.states.size(); ++q) {
    if (group.states[q].done()) continue;
    uint64_t sum = 0;
    for (const auto& part : matched) sum += part[q];
    group.states[q].end_round(scored[q], sum);
  }
}

void PartitionedIndex::scan(std::span<const uint64_t> visits, const QueryGroup& group, const math::ItemSet* allowed,
                            std::span<RerankPool* const> rerank_pools, std::span<uint64_t> matched) const {
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
    if (end < visits.size()) {  // the first cache lines of the next list; the hardware prefetches the rest
      const uint8_t* next = p_.codes.data() + p_.first_block[list_of(visits[end])] * bytes;
      for (size_t line = 0; line < 16; ++line) __builtin_prefetch(next + 64 * line, 0, 2);
    }
    uint64_t matches = count;
    if (allowed) {
      masks.resize(blocks_of(count));
      kernels.masks(allowed->words().data(), p_.rows.data() + first * kBlockRows, count, masks.data());
      matches = 0;
      for (const uint16_t m : masks) matches += static_cast<uint64_t>(__builtin_popcount(m));
    }
    for (; begin < end; begin += std::min(kTile, end - begin)) {
      const size_t n = std::min(kTile, end - begin);
      for (size_t i = 0; i < n; ++i) {
        const uint32_t q = query_of(visits[begin + i]);
        matched[q] += matches;
        group.states[q].prepare(list, *rerank_pools[q], scans[i]);
        rerank_pools[q]->begin_scan(count, scans[i]);
      }
      if (matches > 0)
        kernels.select(p_.codes.data() + first * bytes, count, groups, allowed ? masks.data() : nullptr,
                       static_cast<uint32_t>(first * kBlockRows), scans, n);
      for (size_t i = 0; i < n; ++i) rerank_pools[query_of(visits[begin + i])]->end_scan(scans[i]);
    }
  }
}

// Scores every matching row of one query exactly.
std::vector<uint64_t> PartitionedIndex::search_exactly(ThreadPool& pool, math::MatrixView<const float> queries,
                                                       size_t q, const SearchOptions& options) const {
  SearchOptions alone = options;
  math::Ragged<uint32_t> excluded;
  if (options.excluded) {
    excluded.push((*options.excluded)[q]);
    alone.excluded = &excluded;
  }
  alone.explain = nullptr;
  return keys_of(exact_->search(pool, queries.slice_rows(q, q + 1), alone));
}

std::vector<uint64_t> PartitionedIndex::keys_by_code_score(const RerankPool& rerank_pool) const {
  std::vector<uint64_t> keys;
  for (size_t i = 0; i < rerank_pool.size(); ++i)
    keys.push_back(math::rank_key(rerank_pool.scores()[i], p_.rows[rerank_pool.positions()[i]]));
  math::sort_keys(keys);
  return keys;
}

std::vector<uint64_t> PartitionedIndex::rerank(ThreadPool& pool, std::span<const float> query,
                                               const RerankPool& rerank_pool, const Excluded* excluded, size_t k,
                                               float min_score) const {
  const size_t n = rerank_pool.size();
  const float least = std::max(min_score, std::numeric_limits<float>::lowest());
  std::vector<uint64_t> keys(n);
  std::vector<size_t> kept_of((n + kRerankRows - 1) / kRerankRows);
  pool.for_chunks(n, kRerankRows, [&](size_t begin, size_t end) {
    std::array<uint32_t, kRerankRows> rows;
    std::array<float, kRerankRows> scores;
    size_t in = 0, kept = begin;
    for (size_t i = begin; i < end; ++i) {
      rows[in] = p_.rows[rerank_pool.positions()[i]];
      in += !excluded || !excluded->has(rows[in]);
    }
    score_rows(vectors_, {rows.data(), in}, query, scores.data());
    for (size_t i = 0; i < in; ++i) {
      keys[kept] = math::rank_key(scores[i], rows[i]);
      kept += scores[i] >= least;  // false for NaN
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
  math::sort_keys(keys);
  if (keys.size() > k) keys.resize(k);
  return keys;
}

std::unique_ptr<Index> make_partitioned_index(Partitions partitions, math::RowsView vectors) {
  return std::make_unique<PartitionedIndex>(std::move(partitions), vectors);
}

}  // namespace pagoda::index
