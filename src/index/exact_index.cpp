#include <algorithm>

#include "core/error.h"
#include "index/block_scores.h"
#include "index/index.h"
#include "index/top_k.h"

namespace pagoda {
namespace {

constexpr size_t kBlockItems = 256;   // a transposed block of D = 64 fills 64 KiB
constexpr size_t kBlockQueries = 32;  // x kBlockItems scores: 32 KiB, read again at once by the selection
constexpr size_t kMostQueries = 256;  // of one task: they share the cost of transposing each block
constexpr size_t kLeastQueries = 8;
constexpr size_t kCandidateBytes = 8 << 20;  // of one task
constexpr size_t kTasks = 16;                // fewer tasks than this are cut along the items too
constexpr size_t kLeastShardItems = 16 * kBlockItems;

// Who takes part in a search: all rows, or those of a filter.
struct Candidates {
  size_t n = 0;
  bool all = true;
  std::vector<uint32_t> rows;  // rising; of no use when all are in: candidate i is row i
};

// How a search is cut into tasks (query group x item shard), by its shape alone.
struct Cut {
  size_t group, groups, shard, shards;
  Cut(size_t queries, size_t candidates, size_t k) {
    const size_t fit = kCandidateBytes / (TopK::capacity(k) * sizeof(uint64_t));
    group = std::clamp(fit, kLeastQueries, kMostQueries);
    groups = (queries + group - 1) / group;
    const size_t wanted = std::max<size_t>(1, kTasks / groups);
    shard = std::max(kLeastShardItems, (candidates + wanted - 1) / wanted);
    shard = (shard + kBlockItems - 1) / kBlockItems * kBlockItems;
    shards = (candidates + shard - 1) / shard;
  }
};

class ExactIndex final : public Index {
 public:
  explicit ExactIndex(MatrixView<const float> vectors) : vectors_(vectors) {}
  std::string_view kind() const override { return "exact"; }
  size_t items() const override { return vectors_.rows(); }
  size_t dim() const override { return vectors_.cols(); }

 protected:
  SearchResult best(ThreadPool& pool, MatrixView<const float> queries, const SearchOptions& options) const override;

 private:
  void scan(MatrixView<const float> queries, size_t first_query, const Candidates& candidates, size_t begin, size_t end,
            size_t k, const SearchOptions& options, std::span<TopK> best) const;
  MatrixView<const float> vectors_;
};

// The rows that must not come back, met in rising order along a scan.
class Exclusions {
 public:
  explicit Exclusions(std::span<const uint32_t> rows) : rows_(rows.begin(), rows.end()) {
    if (!std::is_sorted(rows_.begin(), rows_.end())) std::sort(rows_.begin(), rows_.end());
  }
  // Strikes out those among the block's rows.
  void apply(const Candidates& candidates, size_t begin, size_t end, float* scores) {
    const uint32_t* rows = candidates.rows.data();
    const size_t first = candidates.all ? begin : rows[begin], last = candidates.all ? end - 1 : rows[end - 1];
    while (next_ < rows_.size() && rows_[next_] < first) ++next_;
    for (; next_ < rows_.size() && rows_[next_] <= last; ++next_) {
      const uint32_t row = rows_[next_];
      if (candidates.all) {
        scores[row - begin] = -std::numeric_limits<float>::infinity();
      } else if (const auto* at = std::lower_bound(rows + begin, rows + end, row); *at == row) {
        scores[at - (rows + begin)] = -std::numeric_limits<float>::infinity();
      }
    }
  }

 private:
  std::vector<uint32_t> rows_;
  size_t next_ = 0;
};

// Scores candidates [begin, end) for a group of queries and keeps each one's best.
void ExactIndex::scan(MatrixView<const float> queries, size_t first_query, const Candidates& candidates, size_t begin,
                      size_t end, size_t k, const SearchOptions& options, std::span<TopK> best) const {
  std::vector<Exclusions> excluded;
  for (size_t q = 0; q < best.size(); ++q) {
    best[q].reset(k, options.min_score);
    if (options.excluded) excluded.emplace_back((*options.excluded)[first_query + q]);
  }
  ItemBlock block;
  Matrix<float> scores(kBlockQueries, kBlockItems);
  for (size_t b = begin; b < end; b += kBlockItems) {
    const size_t n = std::min(kBlockItems, end - b);
    if (candidates.all)
      block.fill(vectors_, b, n);
    else
      block.fill(vectors_, candidates.rows.data() + b, n);
    for (size_t first = 0; first < best.size(); first += kBlockQueries) {
      const size_t last = std::min(best.size(), first + kBlockQueries);
      block.score(queries.slice_rows(first_query + first, first_query + last), scores);
      for (size_t q = first; q < last; ++q) {
        float* row = scores[q - first];
        if (options.excluded) excluded[q].apply(candidates, b, b + n, row);
        if (candidates.all)
          best[q].offer({row, n}, static_cast<uint32_t>(b));
        else
          best[q].offer({row, n}, candidates.rows.data() + b);
      }
    }
  }
}

SearchResult ExactIndex::best(ThreadPool& pool, MatrixView<const float> queries, const SearchOptions& options) const {
  Candidates candidates;
  candidates.n = items();
  if (options.allowed) {
    candidates.rows = options.allowed->rows();
    candidates.n = candidates.rows.size(), candidates.all = false;
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

  // Query q writes its list from q * k on; lists that came out shorter are closed up afterwards.
  auto& rows = result.items.values;
  rows.resize(queries.rows() * k);
  result.scores.resize(queries.rows() * k);
  std::vector<size_t> found(queries.rows());
  const auto write = [&](size_t q, TopK& best) {
    const auto keys = best.take();
    found[q] = keys.size();
    for (size_t i = 0; i < keys.size(); ++i) {
      rows[q * k + i] = row_of_key(keys[i]);
      result.scores[q * k + i] = score_of_key(keys[i]);
    }
  };

  const Cut cut(queries.rows(), candidates.n, k);
  const auto group_of = [&](size_t g) {
    return std::pair(g * cut.group, std::min(queries.rows(), (g + 1) * cut.group));
  };
  if (cut.shards == 1) {
    pool.run(cut.groups, [&](size_t g) {
      const auto [first, last] = group_of(g);
      std::vector<TopK> best(last - first);
      scan(queries, first, candidates, 0, candidates.n, k, options, best);
      for (size_t q = first; q < last; ++q) write(q, best[q - first]);
    });
  } else {
    std::vector<std::vector<uint64_t>> parts(queries.rows() * cut.shards);  // [query, shard]: its best keys
    pool.run(cut.groups * cut.shards, [&](size_t task) {
      const auto [first, last] = group_of(task / cut.shards);
      const size_t shard = task % cut.shards;
      std::vector<TopK> best(last - first);
      const size_t end = std::min(candidates.n, (shard + 1) * cut.shard);
      scan(queries, first, candidates, shard * cut.shard, end, k, options, best);
      for (size_t q = first; q < last; ++q) {
        const auto keys = best[q - first].take();
        parts[q * cut.shards + shard].assign(keys.begin(), keys.end());
      }
    });
    pool.for_chunks(queries.rows(), 16, [&](size_t first, size_t last) {
      TopK best;
      for (size_t q = first; q < last; ++q) {
        best.reset(k, options.min_score);
        for (size_t s = 0; s < cut.shards; ++s)
          for (const uint64_t key : parts[q * cut.shards + s]) best.offer_key(key);
        write(q, best);
      }
    });
  }

  size_t end = 0;
  for (size_t q = 0; q < queries.rows(); ++q) {
    if (end != q * k) {
      std::copy_n(rows.begin() + q * k, found[q], rows.begin() + end);
      std::copy_n(result.scores.begin() + q * k, found[q], result.scores.begin() + end);
    }
    result.items.offsets.push_back(end += found[q]);
  }
  rows.resize(end), result.scores.resize(end);
  return result;
}

}  // namespace

std::unique_ptr<Index> make_exact_index(MatrixView<const float> vectors) {
  check(vectors.rows() < UINT32_MAX, "an item row is 32 bits");
  return std::make_unique<ExactIndex>(vectors);
}

}  // namespace pagoda
