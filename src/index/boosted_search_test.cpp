#include <map>
#include <set>

#include "index/cascade.h"
#include "index/index_test.h"
#include "index/layered_index.h"
#include "index/partitioned_index.h"

namespace pagoda::index {
namespace {

// 3,000 items, twenty queries; each query boosts about 200 of them.
class BoostedSearch : public testing::Test {
 protected:
  static constexpr size_t kItems = 3000, kQueries = 20;

  BoostedSearch() : items_(clustered_matrix(kItems, 16, 1)), queries_(clustered_matrix(kQueries, 16, 2)) {
    std::copy_n(items_[7], 16, items_[2900]);  // a tie
    Rng rng(5, Stream::test);
    for (size_t q = 0; q < kQueries; ++q) {
      for (uint32_t row = 0; row < kItems; ++row)
        if (rng.below(15) == 0) {
          boosts_.rows.values.push_back(row);
          boosts_.amounts.push_back(static_cast<float>(rng.below(4) == 0 ? 0 : rng.uniform()));
        }
      boosts_.rows.close();
      for (int i = 0; i < 300; ++i) excluded_.values.push_back(static_cast<uint32_t>(rng.below(kItems)));
      excluded_.close();
    }
    for (uint32_t row = 0; row < kItems; row += 3) third_.add(row);
    exact_ = make_exact_index(items_);
  }

  // Every item's score by the index, with its boost added, ranked in full.
  SearchResult naive(const SearchOptions& options) {
    const auto all = exact_->search(pool_, queries_, {.k = kItems});
    SearchResult result;
    for (size_t q = 0; q < kQueries; ++q) {
      std::map<uint32_t, float> boost;
      for (uint64_t i = boosts_.rows.offsets[q]; i < boosts_.rows.offsets[q + 1]; ++i)
        boost[boosts_.rows.values[i]] = boosts_.amounts[i];
      std::set<uint32_t> out;
      if (options.excluded) out.insert((*options.excluded)[q].begin(), (*options.excluded)[q].end());
      std::vector<std::pair<float, uint32_t>> ranking;
      for (uint64_t i = all.items.offsets[q]; i < all.items.offsets[q + 1]; ++i) {
        const uint32_t row = all.items.values[i];
        if (options.allowed && !options.allowed->has(row)) continue;
        const float score = boost.contains(row) ? all.scores[i] + boost[row] : all.scores[i];
        if (!out.contains(row) && score >= options.min_score) ranking.emplace_back(-score, row);
      }
      std::ranges::sort(ranking);
      std::map<uint32_t, uint32_t> taken;
      for (const auto& [minus, row] : ranking) {
        if (result.scores.size() - result.items.offsets.back() == options.k) break;
        if (options.quota && taken[options.quota->group(row)]++ >= options.quota->max) continue;
        result.items.values.push_back(row);
        result.scores.push_back(-minus);
      }
      result.items.close();
    }
    return result;
  }

  ThreadPool pool_{2};
  math::Matrix<float> items_, queries_;
  Boosts boosts_;
  math::Ragged<uint32_t> excluded_;
  math::ItemSet third_{kItems};
  std::unique_ptr<Index> exact_;
};

TEST_F(BoostedSearch, ALiteralCase) {
  math::Matrix<float> items(4, 1), query(1, 1);
  for (size_t i = 0; i < 4; ++i) items[i][0] = 4.0f - static_cast<float>(i);
  query[0][0] = 1;
  Boosts boosts;
  boosts.rows.push(std::vector<uint32_t>{2, 3});
  boosts.amounts = {2.5f, 0.5f};
  SearchExplain explain;
  const auto found = make_exact_index(items)->search(pool_, query, {.k = 3, .boosts = &boosts, .explain = &explain});
  EXPECT_EQ(found.items.values, (std::vector<uint32_t>{2, 0, 1}));
  EXPECT_EQ(found.scores, (std::vector<float>{4.5f, 4, 3}));
  EXPECT_EQ(explain.queries[0].boosted, 2u);
}

TEST_F(BoostedSearch, IsTheWholeRankingUnderFiltersExclusionsLimitsAndQuotas) {
  const auto partitioned = make_partitioned_index(build_partitions(pool_, items_, {}, {}), items_);
  std::vector<uint32_t> group_of(kItems);
  for (uint32_t row = 0; row < kItems; ++row) group_of[row] = row % 40;
  const Quota quota{group_of, 3};
  for (const size_t k : {1, 20, 500, 3000})
    for (const auto* allowed : {static_cast<const math::ItemSet*>(nullptr), &std::as_const(third_)})
      for (const auto* excluded : {static_cast<const math::Ragged<uint32_t>*>(nullptr), &std::as_const(excluded_)})
        for (const float least : {-std::numeric_limits<float>::infinity(), 0.6f})
          for (const auto* of_groups : {static_cast<const Quota*>(nullptr), &quota}) {
            const SearchOptions options{.k = k,
                                        .allowed = allowed,
                                        .excluded = excluded,
                                        .min_score = least,
                                        .recall = 1,
                                        .quota = of_groups,
                                        .boosts = &boosts_};
            const auto expected = naive(options);
            expect_same(exact_->search(pool_, queries_, options), expected);
            expect_same(partitioned->search(pool_, queries_, options), expected);
          }
}

TEST_F(BoostedSearch, LayersAnswerAsOneIndexAndHiddenItemsStayHidden) {
  const auto below = make_exact_index(items_.view().slice_rows(0, 2500)),
             above = make_exact_index(items_.view().slice_rows(2500, kItems));
  math::ItemSet shown(2500, true), visible(kItems, true);
  for (uint32_t row = 0; row < 2500; row += 7) {
    shown.remove(row);
    visible.remove(row);
  }
  const auto layered = make_layered_index(*below, shown, *above);
  const auto found = layered->search(pool_, queries_, {.k = 400, .excluded = &excluded_, .boosts = &boosts_});
  expect_same(found, naive({.k = 400, .allowed = &visible, .excluded = &excluded_}));
}

TEST_F(BoostedSearch, OfACascadeRanksWhatTheFirstModelFinds) {
  const auto second = clustered_matrix(kItems, 8, 3), other = clustered_matrix(kQueries, 8, 4);
  std::vector<uint32_t> same(kItems);
  for (uint32_t row = 0; row < kItems; ++row) same[row] = row;
  const auto cascade = make_cascade_index(*exact_, second, same, 50);
  math::Matrix<float> queries(kQueries, 24);
  for (size_t q = 0; q < kQueries; ++q) {
    std::copy_n(queries_[q], 16, queries[q]);
    std::copy_n(other[q], 8, queries[q] + 16);
  }
  const auto found = cascade->search(pool_, queries, {.k = 50, .boosts = &boosts_});
  const auto candidates = naive({.k = 50});
  for (size_t q = 0; q < kQueries; ++q) {
    const auto a = found.items[q], b = std::as_const(candidates.items)[q];
    EXPECT_EQ(std::set(a.begin(), a.end()), std::set(b.begin(), b.end()));
  }
}

// A power of two changes no digit: neither of scores nor of boosts.
TEST_F(BoostedSearch, QueriesOfAnyLengthAreBoostedAlike) {
  const auto usual = exact_->search(pool_, queries_, {.k = 100, .boosts = &boosts_});
  auto long_queries = queries_;
  auto large = boosts_;
  for (float& x : long_queries) x = std::ldexp(x, 60);
  for (float& amount : large.amounts) amount = std::ldexp(amount, 60);
  const auto found = exact_->search(pool_, long_queries, {.k = 100, .boosts = &large});
  EXPECT_EQ(found.items.values, usual.items.values);
  for (size_t i = 0; i < usual.scores.size(); ++i) EXPECT_EQ(found.scores[i], std::ldexp(usual.scores[i], 60));
}

}  // namespace
}  // namespace pagoda::index
