#include "index/cascade.h"

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "index/block_scores.h"
#include "math/top_k.h"

namespace pagoda::index {
namespace {

constexpr size_t kBlockItems = 256;
constexpr size_t kCandidates = 1 << 22;  // of all queries of a block together
constexpr float kInfinity = std::numeric_limits<float>::infinity();

class CascadeIndex final : public Index {
 public:
  CascadeIndex(const Index& first, math::RowsView second, std::vector<uint32_t> second_row, size_t from)
      : first_(first), second_(second), second_row_(std::move(second_row)), from_(from) {
    check(second_row_.size() == first_.items(), "second_row has an entry for each item");
  }
  std::string_view kind() const override { return "cascade"; }
  size_t items() const override { return first_.items(); }
  size_t dim() const override { return first_.dim() + second_.cols(); }

 private:
  SearchResult best(ThreadPool& pool, math::MatrixView<const float> queries,
                    const SearchOptions& options) const override;
  struct List {
    std::vector<uint32_t> items;
    std::vector<float> scores;
  };
  List rescored(math::MatrixView<const float> query, std::span<const uint32_t> items, std::span<const float> scores,
                size_t k, float min_score) const;

  const Index& first_;
  math::RowsView second_;
  std::vector<uint32_t> second_row_;
  size_t from_;
};

// Adds what the first search did for a block of queries.
void add_explain(const SearchExplain& part, SearchExplain& sum) {
  sum.plan = part.plan;
  sum.queries.insert(sum.queries.end(), part.queries.begin(), part.queries.end());
  sum.add_times(part);
}

// `query` [1, dim of the second model]; `items` and `scores` as the first search found them.
CascadeIndex::List CascadeIndex::rescored(math::MatrixView<const float> query, std::span<const uint32_t> items,
                                          std::span<const float> scores, size_t k, float min_score) const {
  std::vector<uint32_t> known, rows;
  for (auto item : items)
    if (second_row_[item] != UINT32_MAX) known.push_back(item);
  std::sort(known.begin(), known.end());  // TopK wants ascending rows
  for (auto item : known) rows.push_back(second_row_[item]);
  math::TopK best;
  best.reset(k, min_score);
  ItemBlock block;
  math::Matrix<float> block_scores(1, kBlockItems);
  for (size_t begin = 0; begin < known.size(); begin += kBlockItems) {
    const size_t n = std::min(kBlockItems, known.size() - begin);
    block.fill(second_, rows.data() + begin, n);
    block.score(query, block_scores);
    best.offer(block_scores.row(0).first(n), known.data() + begin);
  }
  List list;
  for (const auto key : best.take()) {
    list.items.push_back(math::row_of_key(key));
    list.scores.push_back(math::score_of_key(key));
  }

  float ceiling = list.scores.empty() ? kInfinity : std::nextafter(list.scores.back(), -kInfinity), lowered_by = 0;
  for (size_t i = 0, unknown = 0; i < items.size() && list.items.size() < k; ++i) {
    if (second_row_[items[i]] != UINT32_MAX) continue;
    if (unknown++ == 0) lowered_by = std::max(0.f, scores[i] - ceiling);
    ceiling = std::min(ceiling, scores[i] - lowered_by);
    if (ceiling < min_score) break;
    list.items.push_back(items[i]);
    list.scores.push_back(ceiling);
  }
  return list;
}

SearchResult CascadeIndex::best(ThreadPool& pool, math::MatrixView<const float> queries,
                                const SearchOptions& options) const {
  SearchResult result;
  const size_t from = std::min(from_, items());
  const size_t block = std::max<size_t>(1, kCandidates / std::max<size_t>(1, from));
  for (size_t begin = 0; begin < queries.rows(); begin += block) {
    const size_t end = std::min(queries.rows(), begin + block);
    const auto part = queries.slice_rows(begin, end);
    math::Ragged<uint32_t> excluded;
    if (options.excluded)
      for (size_t q = begin; q < end; ++q) excluded.push((*options.excluded)[q]);
    Boosts boosts;
    if (options.boosts) boosts = boosts_of(*options.boosts, begin, end);
    SearchExplain explain;
    const auto found = first_.search(pool, part.slice_cols(0, first_.dim()),
                                     {.k = from,
                                      .allowed = options.allowed,
                                      .excluded = options.excluded ? &excluded : nullptr,
                                      .recall = options.recall,
                                      .boosts = options.boosts ? &boosts : nullptr,
                                      .explain = options.explain ? &explain : nullptr});
    if (options.explain) add_explain(explain, *options.explain);
    const auto second = part.slice_cols(first_.dim(), dim());
    std::vector<List> lists(end - begin);
    pool.for_chunks(lists.size(), 8, [&](size_t b, size_t e) {
      for (size_t q = b; q < e; ++q) {
        const auto items = found.items[q];
        lists[q] = rescored(second.slice_rows(q, q + 1), items,
                            std::span(found.scores).subspan(found.items.offsets[q], items.size()), options.k,
                            options.min_score);
      }
    });
    for (const auto& list : lists) {
      result.items.push(list.items);
      result.scores.insert(result.scores.end(), list.scores.begin(), list.scores.end());
    }
  }
  return result;
}

}  // namespace

std::unique_ptr<Index> make_cascade_index(const Index& first, math::RowsView second, std::vector<uint32_t> second_row,
                                          size_t from) {
  return std::make_unique<CascadeIndex>(first, second, std::move(second_row), from);
}

}  // namespace pagoda::index
