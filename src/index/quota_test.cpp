#include <map>

#include "index/index_test.h"
#include "index/partitioned_index.h"

namespace pagoda::index {
namespace {

// The whole ranking gone down by hand.
std::vector<uint32_t> naive(std::span<const uint32_t> ranking, const Quota& quota, size_t k) {
  std::vector<uint32_t> taken;
  std::map<uint32_t, uint32_t> of_group;
  for (const uint32_t item : ranking)
    if (taken.size() < k && (quota.group_of[item] == Quota::kNoGroup || of_group[quota.group_of[item]]++ < quota.max))
      taken.push_back(item);
  return taken;
}

TEST(Quota, ALiteralCase) {
  math::Matrix<float> items(5, 1), query(1, 1);
  for (size_t i = 0; i < 5; ++i) items[i][0] = 5.0f - static_cast<float>(i);
  query[0][0] = 1;
  const std::vector<uint32_t> author{7, 7, 7, Quota::kNoGroup, 9};
  const Quota quota{author, 2};
  ThreadPool pool(1);
  const auto found = make_exact_index(items)->search(pool, query, {.k = 4, .quota = &quota});
  EXPECT_EQ(found.items.values, (std::vector<uint32_t>{0, 1, 3, 4}));
  EXPECT_EQ(found.scores, (std::vector<float>{5, 4, 2, 1}));
}

TEST(Quota, IsAppliedInsideSoThatListsAreFilledAsFarAsItAllows) {
  const auto items = clustered_matrix(3000, 16, 1), queries = clustered_matrix(12, 16, 2);
  ThreadPool pool(2);
  const auto exact = make_exact_index(items);
  const auto index = make_partitioned_index(build_partitions(pool, items, {}, {}), items);
  const auto rankings = exact->search(pool, queries, {.k = 3000});
  Rng rng(1, Stream::test);
  for (const size_t groups : {3, 40, 1000}) {
    std::vector<uint32_t> group_of(3000);
    for (auto& g : group_of) g = rng.below(10) == 0 ? Quota::kNoGroup : static_cast<uint32_t>(rng.below(groups));
    for (const uint32_t most : {0, 1, 5, 50})
      for (const size_t k : {1, 100, 2000}) {
        const Quota quota{group_of, most};
        const auto found = exact->search(pool, queries, {.k = k, .quota = &quota});
        // The same with the members at hand, and with the last rows in another layer.
        const auto members = members_of_groups(std::span(group_of).first(2500));
        const Quota prepared{std::span(group_of).first(2500), most, std::span(group_of).subspan(2500), &members};
        expect_same(exact->search(pool, queries, {.k = k, .quota = &prepared}), found);
        expect_same(index->search(pool, queries, {.k = k, .recall = 1, .quota = &quota}), found);
        const auto approximate = index->search(pool, queries, {.k = k, .quota = &quota});
        for (size_t q = 0; q < 12; ++q) {
          const auto expected = naive(rankings.items[q], quota, k);
          ASSERT_TRUE(std::ranges::equal(found.items[q], expected)) << groups << " " << most << " " << k;
          ASSERT_EQ(approximate.items[q].size(), expected.size());
        }
      }
  }
}

TEST(Quota, TheMembersOfAGroupAreItsRowsInOrder) {
  const auto members = members_of_groups(std::vector<uint32_t>{2, 0, Quota::kNoGroup, 2, 2});
  ASSERT_EQ(members.size(), 3u);
  EXPECT_TRUE(std::ranges::equal(members[0], std::vector<uint32_t>{1}));
  EXPECT_TRUE(members[1].empty());
  EXPECT_TRUE(std::ranges::equal(members[2], std::vector<uint32_t>{0, 3, 4}));
  EXPECT_EQ(members_of_groups({}).size(), 0u);
}

TEST(Quota, ThatCanNotFillTheListEndsTheSearchOnceItsGroupsAreFull) {
  const auto items = clustered_matrix(20000, 16, 1), queries = clustered_matrix(4, 16, 2);
  ThreadPool pool(1);
  std::vector<uint32_t> group_of(20000);
  for (uint32_t i = 0; i < 20000; ++i) group_of[i] = i % 18;
  const Quota quota{group_of, 10};
  const auto index = make_partitioned_index(build_partitions(pool, items, {}, {}), items);
  SearchExplain explain;
  const auto found = index->search(pool, queries, {.k = 1000, .quota = &quota, .explain = &explain});
  for (size_t q = 0; q < 4; ++q) {
    EXPECT_EQ(found.items[q].size(), 180u);
    EXPECT_LT(explain.queries[q].vectors_scored, 20000u);
    EXPECT_LE(explain.queries[q].vectors_reranked, 10000u);
  }
}

TEST(Quota, WorksTogetherWithFilterAndExclusions) {
  const auto items = clustered_matrix(1000, 8, 1), queries = clustered_matrix(3, 8, 2);
  ThreadPool pool(1);
  math::ItemSet even(1000);
  for (uint32_t i = 0; i < 1000; i += 2) even.add(i);
  math::Ragged<uint32_t> excluded;
  for (size_t q = 0; q < 3; ++q) excluded.push(std::vector<uint32_t>{0, 2, 4, static_cast<uint32_t>(6 + q)});
  std::vector<uint32_t> group_of(1000);
  for (uint32_t i = 0; i < 1000; ++i) group_of[i] = i % 20;
  const Quota quota{group_of, 3};
  const auto exact = make_exact_index(items);
  const auto all = exact->search(pool, queries, {.k = 1000, .allowed = &even, .excluded = &excluded});
  SearchExplain explain;
  const auto found = exact->search(
      pool, queries, {.k = 25, .allowed = &even, .excluded = &excluded, .quota = &quota, .explain = &explain});
  for (size_t q = 0; q < 3; ++q) EXPECT_TRUE(std::ranges::equal(found.items[q], naive(all.items[q], quota, 25)));
  EXPECT_EQ(explain.queries.size(), 3u);
  EXPECT_DOUBLE_EQ(explain.selectivity, 0.5);
}

}  // namespace
}  // namespace pagoda::index
