#include <algorithm>
#include <cmath>
#include <memory>
#include <utility>

#include "core/error.h"
#include "index/boosted_search.h"
#include "index/index.h"
#include "math/top_k.h"
#include "math/tile_kernels.h"

namespace pagoda::index {
namespace {

constexpr size_t kBlockItems = 96;   // scored together against the queries of a task; their rows stay in a near cache
constexpr size_t kMaxQueries = 256;  // of one task
constexpr size_t kAhead = 24;        // rows picked by a filter are prefetched so far ahead
constexpr size_t kMinQueries = 8;
constexpr size_t kCandidateBytes = 8 << 20;  // of one task
constexpr size_t kTasks = 16;                // with fewer tasks than this, items are sharded too
constexpr size_t kMinShardItems = 64 * kBlockItems;
constexpr size_t kSampled = 32;  // the sample has one of so many blocks
constexpr size_t kMinSampledItems = kSampled * 16 * kBlockItems;
constexpr float kInfinity = std::numeric_limits<float>::infinity();

// The rows that a search scores: all of them, or those that pass the filter.
struct Candidates {
  size_t n = 0;
  bool all = true;
  std::vector<uint32_t> rows;  // ascending; unused if `all`: candidate i is then row i
};

// How a search is divided into tasks (query group x item shard); depends on its shape alone.
struct Cut {
  size_t group, groups, shard, shards;
  Cut(size_t queries, size_t candidates, size_t k) {
    const size_t fit = kCandidateBytes / (math::TopK::capacity(k) * sizeof(uint64_t));
    group = std::clamp(fit, kMinQueries, kMaxQueries);
    groups = (queries + group - 1) / group;
    const size_t wanted = std::max<size_t>(1, kTasks / groups);
    shard = std::max(kMinShardItems, (candidates + wanted - 1) / wanted);
    shard = (shard + kBlockItems - 1) / kBlockItems * kBlockItems;
    shards = (candidates + shard - 1) / shard;
  }
};

class ExactIndex final : public Index {
 public:
  explicit ExactIndex(math::RowsView vectors) : vectors_(vectors) {}
  std::string_view kind() const override { return "exact"; }
  size_t items() const override { return vectors_.rows(); }
  size_t dim() const override { return vectors_.cols(); }

 protected:
  SearchResult best(ThreadPool& pool, math::MatrixView<const float> queries,
                    const SearchOptions& options) const override;

 private:
  // The queries of a task, and what they search for.
  struct Group {
    math::MatrixView<const float> queries;  // of the group
    size_t first;
    size_t k;
    const SearchOptions* options;
  };
  void scan(const Group& group, const Candidates& candidates, size_t begin, size_t end, size_t step,
            std::span<math::TopK> best) const;
  std::vector<float> initial_thresholds(const Group& group, const Candidates& candidates) const;

  math::RowsView vectors_;
  const math::TileKernels* kernels_ = &math::best_tile_kernels();
};

// The rows excluded for one query; has() is called with ascending rows.
class Exclusions {
 public:
  explicit Exclusions(std::span<const uint32_t> rows) : rows_(rows.begin(), rows.end()) {
    if (!std::is_sorted(rows_.begin(), rows_.end())) std::sort(rows_.begin(), rows_.end());
  }
  bool has(uint32_t row) {
    while (next_ < rows_.size() && rows_[next_] < row) ++next_;
    return next_ < rows_.size() && rows_[next_] == row;
  }

 private:
  std::vector<uint32_t> rows_;
  size_t next_ = 0;
};

// Offers every step-th block of candidates [begin, end) to `best`, a reset TopK for each query.
void ExactIndex::scan(const Group& group, const Candidates& candidates, size_t begin, size_t end, size_t step,
                      std::span<math::TopK> best) const {
  const size_t dim = vectors_.cols(), queries = best.size();
  const size_t padded = (queries + kernels_->panel - 1) / kernels_->panel * kernels_->panel;
  std::vector<Exclusions> excluded;
  math::Matrix<float> panels(padded, dim);
  std::vector<float> thresholds(padded, kInfinity);
  kernels_->pack(group.queries, panels.data());
  for (size_t q = 0; q < queries; ++q) {
    thresholds[q] = best[q].threshold();
    if (group.options->excluded) excluded.emplace_back((*group.options->excluded)[group.first + q]);
  }
  const auto hits = std::make_unique_for_overwrite<math::ScoreHit[]>(kBlockItems * padded);
  const bool in_place = candidates.all && vectors_.precision() == math::RowPrecision::f32;
  math::Matrix<float> picked(in_place ? 0 : kBlockItems, dim);
  for (size_t b = begin; b < end; b += step * kBlockItems) {
    const size_t n = std::min(kBlockItems, end - b);
    for (size_t i = 0; i < n && !in_place; ++i) {
      if (!candidates.all && b + i + kAhead < end) vectors_.prefetch(candidates.rows[b + i + kAhead]);
      vectors_.read(candidates.all ? b + i : candidates.rows[b + i], picked[i]);
    }
    const auto block = in_place ? vectors_.f32().slice_rows(b, b + n) : std::as_const(picked).view().slice_rows(0, n);
    const size_t found = kernels_->above(block, panels.data(), queries, thresholds.data(), hits.get());
    for (const auto& [score, item, q] : std::span(hits.get(), found)) {
      const uint32_t row = candidates.all ? static_cast<uint32_t>(b + item) : candidates.rows[b + item];
      if (!excluded.empty() && excluded[q].has(row)) continue;
      best[q].offer_key(math::rank_key(score, row));
      thresholds[q] = best[q].threshold();
    }
  }
}

// For each query a score that more than k candidates are likely to pass, from a sample of the blocks.
std::vector<float> ExactIndex::initial_thresholds(const Group& group, const Candidates& candidates) const {
  std::vector<float> thresholds(group.queries.rows(), group.options->min_score);
  if (candidates.n < kMinSampledItems || candidates.n < 8 * group.k) return thresholds;
  const double expected = static_cast<double>(group.k) / kSampled;
  const auto place = static_cast<size_t>(expected + 3 * std::sqrt(expected) + 3);
  std::vector<math::TopK> best(thresholds.size());
  for (auto& list : best) list.reset(place, group.options->min_score);
  scan(group, candidates, 0, candidates.n, kSampled, best);
  for (size_t q = 0; q < best.size(); ++q)
    if (const auto keys = best[q].take(); keys.size() == place) thresholds[q] = math::score_of_key(keys.back());
  return thresholds;
}

SearchResult ExactIndex::best(ThreadPool& pool, math::MatrixView<const float> queries,
                              const SearchOptions& options) const {
  if (options.boosts)
    return boosted_search(pool, vectors_, queries, options,
                          [&](const SearchOptions& plain) { return best(pool, queries, plain); });
  Candidates candidates;
  candidates.n = items();
  if (options.allowed) {
    candidates.rows = options.allowed->rows();
    candidates.n = candidates.rows.size();
    candidates.all = false;
  }
  const size_t k = std::min(options.k, candidates.n);
  if (options.explain) {
    options.explain->plan = options.allowed ? "matching rows" : "all rows";
    options.explain->queries.assign(queries.rows(), {.vectors_scored = k == 0 ? 0 : candidates.n});
  }
  SearchResult result;
  if (k == 0 || queries.rows() == 0) {
    result.items.offsets.assign(queries.rows() + 1, 0);
    return result;
  }

  // Query q writes its list from q * k on; gaps behind shorter lists are closed afterwards.
  auto& rows = result.items.values;
  rows.resize(queries.rows() * k);
  result.scores.resize(queries.rows() * k);
  std::vector<size_t> found(queries.rows());
  const auto write = [&](size_t q, math::TopK& best) {
    const auto keys = best.take();
    found[q] = keys.size();
    for (size_t i = 0; i < keys.size(); ++i) {
      rows[q * k + i] = math::row_of_key(keys[i]);
      result.scores[q * k + i] = math::score_of_key(keys[i]);
    }
  };

  const Cut cut(queries.rows(), candidates.n, k);
  const auto group_of = [&](size_t g) {
    const size_t first = g * cut.group, last = std::min(queries.rows(), first + cut.group);
    return Group{queries.slice_rows(first, last), first, k, &options};
  };
  std::vector<std::vector<float>> thresholds_of(cut.groups);
  pool.run(cut.groups, [&](size_t g) { thresholds_of[g] = initial_thresholds(group_of(g), candidates); });
  std::vector<std::vector<uint64_t>> parts(queries.rows() * cut.shards);  // [query, shard]: best rank keys
  pool.run(cut.groups * cut.shards, [&](size_t task) {
    const size_t g = task / cut.shards, shard = task % cut.shards;
    const Group group = group_of(g);
    std::vector<math::TopK> best(group.queries.rows());
    for (size_t q = 0; q < best.size(); ++q) best[q].reset(k, thresholds_of[g][q]);
    scan(group, candidates, shard * cut.shard, std::min(candidates.n, (shard + 1) * cut.shard), 1, best);
    for (size_t q = 0; q < best.size(); ++q) {
      const auto keys = best[q].take();
      parts[(group.first + q) * cut.shards + shard].assign(keys.begin(), keys.end());
    }
  });
  pool.for_chunks(queries.rows(), 16, [&](size_t first, size_t last) {
    math::TopK best;
    for (size_t q = first; q < last; ++q) {
      best.reset(k, options.min_score);
      size_t passed = 0;
      for (size_t s = 0; s < cut.shards; ++s)
        for (const uint64_t key : parts[q * cut.shards + s]) {
          best.offer_key(key);
          ++passed;
        }
      if (passed < k &&
          thresholds_of[q / cut.group][q % cut.group] > options.min_score) {  // the threshold was too high
        best.reset(k, options.min_score);
        scan({queries.slice_rows(q, q + 1), q, k, &options}, candidates, 0, candidates.n, 1, {&best, 1});
      }
      write(q, best);
    }
  });

  size_t end = 0;
  for (size_t q = 0; q < queries.rows(); ++q) {
    if (end != q * k) {
      std::copy_n(rows.begin() + q * k, found[q], rows.begin() + end);
      std::copy_n(result.scores.begin() + q * k, found[q], result.scores.begin() + end);
    }
    result.items.offsets.push_back(end += found[q]);
  }
  rows.resize(end);
  result.scores.resize(end);
  return result;
}

}  // namespace

std::unique_ptr<Index> make_exact_index(math::RowsView vectors) {
  check(vectors.rows() < UINT32_MAX, "item rows fit in 32 bits");
  return std::make_unique<ExactIndex>(vectors);
}

}  // namespace pagoda::index
