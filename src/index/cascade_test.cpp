#include "index/cascade.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "core/rng.h"

namespace pagoda::index {
namespace {

constexpr uint32_t kNone = UINT32_MAX;

// Of -1, 0 and 1: scores are exact in float, with many ties.
math::Matrix<float> coarse(size_t rows, size_t cols, uint64_t seed) {
  Rng rng(seed, Stream::test);
  math::Matrix<float> m(rows, cols);
  for (auto& x : m) x = static_cast<float>(rng.below(3)) - 1.0f;
  return m;
}

math::Matrix<float> matrix(size_t cols, std::initializer_list<float> values) {
  math::Matrix<float> m(values.size() / cols, cols);
  std::copy(values.begin(), values.end(), m.begin());
  return m;
}

std::vector<uint32_t> items_of(const SearchResult& r, size_t q) { return {r.items[q].begin(), r.items[q].end()}; }

TEST(Cascade, PutsWhatTheFirstFoundInTheOrderOfTheSecond) {
  ThreadPool pool(1);
  const auto first = matrix(1, {5, 4, 3, 2, 1}), second = matrix(1, {0, 1, 1, 2, 9});
  const auto index = make_exact_index(first);
  const auto cascade = make_cascade_index(*index, second, {0, 1, 2, 3, 4}, 4);
  EXPECT_EQ(cascade->kind(), "cascade");
  EXPECT_EQ(cascade->items(), 5u);
  EXPECT_EQ(cascade->dim(), 2u);
  // Item 4, the second's best, is not among the first's best four; 1 and 2 are equal and stand by row.
  const auto found = cascade->search(pool, matrix(2, {1, 2}), {.k = 3});
  EXPECT_EQ(found.items.values, (std::vector<uint32_t>{3, 1, 2}));
  EXPECT_EQ(found.scores, (std::vector<float>{4, 2, 2}));
  EXPECT_EQ(cascade->search(pool, matrix(2, {1, 2}), {.k = 100}).items.values, (std::vector<uint32_t>{3, 1, 2, 0}));
  EXPECT_EQ(cascade->search(pool, matrix(2, {1, 2}), {.k = 100, .min_score = 2}).items.values,
            (std::vector<uint32_t>{3, 1, 2}));
  EXPECT_EQ(cascade->search(pool, matrix(2, {1, 2}), {.k = 0}).items.size(), 1u);
  EXPECT_EQ(cascade->search(pool, math::Matrix<float>(0, 2).view(), {.k = 3}).items.size(), 0u);
}

TEST(Cascade, ItemsThatTheSecondDoesNotKnowComeLastInTheOrderOfTheFirst) {
  ThreadPool pool(1);
  const auto first = matrix(1, {5, 4, 3, 2, 1}), second = matrix(1, {-7, -6});
  const auto index = make_exact_index(first);
  const auto cascade = make_cascade_index(*index, second, {kNone, 0, kNone, kNone, 1}, 5);
  const auto found = cascade->search(pool, matrix(2, {1, 1}), {.k = 4});
  EXPECT_EQ(found.items.values, (std::vector<uint32_t>{4, 1, 0, 2}));
  EXPECT_EQ(found.scores[0], -6);
  EXPECT_EQ(found.scores[1], -7);
  EXPECT_LT(found.scores[2], -7);  // lowered, to stand behind
  EXPECT_NEAR(found.scores[2] - found.scores[3], 2, 1e-5);

  // Where their own scores are low enough they keep them.
  const auto high = matrix(1, {9, 8});
  const auto low = make_cascade_index(*index, high, {0, 1, kNone, kNone, kNone}, 5);
  EXPECT_EQ(low->search(pool, matrix(2, {1, 1}), {.k = 5}).scores, (std::vector<float>{9, 8, 3, 2, 1}));
  // And where the second knows none of them.
  const auto none = make_cascade_index(*index, second, std::vector<uint32_t>(5, kNone), 3);
  EXPECT_EQ(none->search(pool, matrix(2, {1, 1}), {.k = 5}).scores, (std::vector<float>{5, 4, 3}));
}

// The plain way: all scores of both models, two sorts.
std::vector<uint32_t> brute_force(const math::Matrix<float>& q, const math::Matrix<float>& r, size_t query,
                                  const math::Matrix<float>& first, const math::Matrix<float>& second,
                                  const std::vector<uint32_t>& row, size_t from, const SearchOptions& options) {
  const auto score = [](const float* a, const float* b, size_t n) {
    double sum = 0;
    for (size_t d = 0; d < n; ++d) sum += double{a[d]} * b[d];
    return sum;
  };
  std::vector<std::pair<double, uint32_t>> found;
  for (uint32_t i = 0; i < first.rows(); ++i) {
    const auto out = options.excluded ? (*options.excluded)[query] : std::span<const uint32_t>();
    if (options.allowed && !options.allowed->has(i)) continue;
    if (std::find(out.begin(), out.end(), i) == out.end()) found.emplace_back(-score(q[query], first[i], q.cols()), i);
  }
  std::sort(found.begin(), found.end());
  found.resize(std::min(found.size(), from));
  std::vector<std::pair<double, uint32_t>> known;
  std::vector<uint32_t> list, unknown;
  for (const auto& [negated, item] : found) {
    if (row[item] == kNone)
      unknown.push_back(item);
    else
      known.emplace_back(-score(r[query], second[row[item]], r.cols()), item);
  }
  std::sort(known.begin(), known.end());
  for (const auto& [negated, item] : known) list.push_back(item);
  list.insert(list.end(), unknown.begin(), unknown.end());
  list.resize(std::min(list.size(), options.k));
  return list;
}

TEST(Cascade, AgreesWithBruteForceUnderFiltersAndExclusionsOnAnyNumberOfThreads) {
  for (const auto& [queries, items, from, k] : std::vector<std::array<size_t, 4>>{
           {1, 5, 3, 3}, {7, 40, 20, 5}, {30, 700, 300, 300}, {5, 9000, 1000, 20}, {3, 50, 1000, 60}}) {
    SCOPED_TRACE(fmt::format("{} queries, {} items, from {}, k = {}", queries, items, from, k));
    const auto q = coarse(queries, 5, 1), r = coarse(queries, 8, 2), first = coarse(items, 5, 3),
               second = coarse(items + 10, 8, 4);
    Rng rng(items, Stream::test);
    std::vector<uint32_t> row(items);  // the second's catalogue in another order; a tenth is not in it
    for (size_t i = 0; i < items; ++i) row[i] = static_cast<uint32_t>(items + 9 - i);
    for (auto& x : row)
      if (rng.below(10) == 0) x = kNone;
    math::ItemSet allowed(items, true);
    math::Ragged<uint32_t> excluded;
    for (size_t i = 0; i < items / 3; ++i) allowed.remove(static_cast<uint32_t>(rng.below(items)));
    for (size_t i = 0; i < queries; ++i) {
      for (size_t n = rng.below(items); n > 0; --n) excluded.values.push_back(static_cast<uint32_t>(rng.below(items)));
      excluded.close();
    }
    math::Matrix<float> both(queries, 13);
    for (size_t i = 0; i < queries; ++i) {
      std::copy_n(q[i], 5, both[i]);
      std::copy_n(r[i], 8, both[i] + 5);
    }
    const auto index = make_exact_index(first);
    const auto cascade = make_cascade_index(*index, second, row, from);
    ThreadPool one(1), two(2);
    for (const SearchOptions& options : {SearchOptions{.k = k}, SearchOptions{.k = k, .allowed = &allowed},
                                         SearchOptions{.k = k, .allowed = &allowed, .excluded = &excluded}}) {
      const auto found = cascade->search(two, both, options);
      ASSERT_EQ(found.items.size(), queries);
      for (size_t i = 0; i < queries; ++i) {
        EXPECT_EQ(items_of(found, i), brute_force(q, r, i, first, second, row, from, options)) << i;
        const auto scores = std::span(found.scores).subspan(found.items.offsets[i], found.items[i].size());
        EXPECT_TRUE(std::is_sorted(scores.rbegin(), scores.rend()));
      }
      const auto again = cascade->search(one, both, options);
      EXPECT_EQ(again.items.values, found.items.values);
      EXPECT_EQ(again.scores, found.scores);
    }
  }
}

TEST(Cascade, ScoresHaveTheBitsOfASearchOfTheSecond) {
  Rng rng(1, Stream::test);
  math::Matrix<float> first(500, 6), second(500, 33), queries(9, 39);
  for (auto* m : {&first, &second, &queries})
    for (auto& x : *m) x = static_cast<float>(rng.normal());
  std::vector<uint32_t> row(500);
  for (uint32_t i = 0; i < 500; ++i) row[i] = i;
  ThreadPool pool(2);
  const auto index = make_exact_index(first), alone = make_exact_index(second);
  const auto all = make_cascade_index(*index, second, row, 500)->search(pool, queries, {.k = 500});
  const auto expected = alone->search(pool, queries.view().slice_cols(6, 39), {.k = 500});
  EXPECT_EQ(all.items.values, expected.items.values);
  EXPECT_EQ(all.scores, expected.scores);
}

}  // namespace
}  // namespace pagoda::index
