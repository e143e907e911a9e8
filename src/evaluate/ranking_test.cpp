#include "evaluate/ranking.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <set>

#include "core/rng.h"

namespace pagoda::evaluate {
namespace {

constexpr double kTiny = 1e-12, kNothing = std::numeric_limits<double>::quiet_NaN();

struct User {
  std::vector<uint32_t> items;
  std::vector<float> scores;
  std::vector<uint32_t> relevant;
  size_t outside = 0, history = 0;
  RankedUser view() const { return {items, scores, relevant, outside, history}; }
};

// The list as given, scores falling by one.
User user(std::vector<uint32_t> items, std::vector<uint32_t> relevant, size_t outside = 0, size_t history = 0) {
  User u{std::move(items), {}, std::move(relevant), outside, history};
  for (size_t i = 0; i < u.items.size(); ++i) u.scores.push_back(100.0f - static_cast<float>(i));
  return u;
}

RankingReport rank(const std::vector<User>& users, std::vector<size_t> ks, const ItemPopularity& popularity) {
  RankingAccumulator sum(std::move(ks), popularity);
  for (const auto& u : users) sum.add(u.view());
  return sum.report();
}

void expect_near(const AtK& got, const AtK& wanted) {
  ASSERT_EQ(got.size(), wanted.size());
  for (size_t k = 0; k < got.size(); ++k) {
    if (std::isnan(wanted[k])) {
      EXPECT_TRUE(std::isnan(got[k])) << "K number " << k << " is " << got[k];
    } else {
      EXPECT_NEAR(got[k], wanted[k], kTiny) << "K number " << k;
    }
  }
}

TEST(Ranking, OneUserIsWorkedByHand) {
  // Relevant 2, 4, 9 and one item outside the catalogue; hits at ranks 2 and 4.
  const ItemPopularity popularity(std::vector<uint32_t>(10, 1));
  const auto report = rank({user({7, 2, 5, 4, 1}, {2, 4, 9}, 1)}, {1, 2, 4}, popularity);
  EXPECT_EQ(report.users, 1u);
  EXPECT_EQ(report.test_positives, 4u);
  EXPECT_EQ(report.outside_catalogue, 1u);
  const double d2 = 1 / std::log2(3.0), d3 = 0.5, d4 = 1 / std::log2(5.0);
  expect_near(report.recall, {0, 0.25, 0.5});
  expect_near(report.hit_rate, {0, 1, 1});
  expect_near(report.mrr, {0, 0.5, 0.5});
  expect_near(report.ndcg, {0, d2 / (1 + d2), (d2 + d4) / (1 + d2 + d3 + d4)});
  expect_near(report.map, {0, 0.5 / 2, (0.5 + 0.5) / 4});
  expect_near(report.precision, {0, 0.5, 0.5});
}

TEST(Ranking, EachUsersMetricsAreKeptInOrder) {
  const ItemPopularity popularity(std::vector<uint32_t>(6, 1));
  UserMetrics kept;
  RankingAccumulator sum({1, 2}, popularity);
  sum.keep_users(&kept);
  for (const auto& u : {user({0, 1}, {0, 3}), user({0, 1}, {}), user({0, 1}, {5}), user({0, 1}, {1})})
    sum.add(u.view());
  EXPECT_EQ(kept.recall, (std::vector<std::vector<double>>{{0.5, 0, 0}, {0.5, 0, 1}})) << "no one without test items";
  EXPECT_EQ(kept.hit_rate, (std::vector<std::vector<double>>{{1, 0, 0}, {1, 0, 1}}));
  EXPECT_EQ(kept.mrr, (std::vector<std::vector<double>>{{1, 0, 0}, {1, 0, 0.5}}));
  expect_near(kept.ndcg[1], {1 / (1 + 1 / std::log2(3.0)), 0, 1 / std::log2(3.0)});
}

TEST(Ranking, TheIdealStopsAtTheNumberOfRelevantItems) {
  const ItemPopularity popularity(std::vector<uint32_t>(10, 1));
  const auto report = rank({user({3, 1, 2, 0}, {3})}, {3}, popularity);
  expect_near(report.ndcg, {1});
  expect_near(report.recall, {1});
  expect_near(report.mrr, {1});
}

TEST(Ranking, UsersAreAveragedAndThoseWithoutRelevantItemsLeftOut) {
  const ItemPopularity popularity(std::vector<uint32_t>(6, 1));
  const auto report =
      rank({user({0, 1, 2}, {0}), user({0, 1, 2}, {}), user({}, {4}), user({5, 4, 3}, {3, 4})}, {2}, popularity);
  EXPECT_EQ(report.users, 3u);
  expect_near(report.recall, {(1 + 0 + 0.5) / 3});
  expect_near(report.hit_rate, {2.0 / 3});
  expect_near(report.mrr, {(1 + 0 + 0.5) / 3});
  expect_near(report.coverage, {4.0 / 6});  // 0, 1, 5, 4: the user without relevant items adds nothing
}

TEST(Ranking, WithinEqualScoresTheRelevantItemsStandLast) {
  const ItemPopularity popularity(std::vector<uint32_t>(10, 1));
  User u{{1, 2, 3, 4, 5}, {9, 8, 8, 8, 7}, {1, 2, 3}, 0, 0};  // 2 and 3 fall behind 4: ranks 3 and 4
  const auto report = rank({u}, {1, 2, 3, 4}, popularity);
  expect_near(report.recall, {1.0 / 3, 1.0 / 3, 2.0 / 3, 1});
}

TEST(Ranking, AGroupCutByTheEndOfTheListHasNoHits) {
  const ItemPopularity popularity(std::vector<uint32_t>(10, 1));
  User cut{{1, 2, 3, 4}, {9, 8, 8, 8}, {1, 2, 3}, 0, 0};  // K = 3 and four retrieved: more 8s may follow
  expect_near(rank({cut}, {1, 3}, popularity).recall, {1.0 / 3, 1.0 / 3});
  User complete{{1, 2, 3}, {9, 8, 8}, {1, 2}, 0, 0};  // K = 3 and three came back: there are no more
  expect_near(rank({complete}, {2, 3}, popularity).recall, {0.5, 1});
}

TEST(Ranking, ACollapsedModelGetsNothing) {
  const ItemPopularity popularity(std::vector<uint32_t>(1000, 1));
  std::vector<User> users;
  for (uint32_t n = 0; n < 20; ++n)
    users.push_back(User{{0, 1, 2, 3, 4, 5}, std::vector<float>(6, 0.5f), {0, n % 5 + 1}, 0, 0});
  const auto report = rank(users, {5}, popularity);
  EXPECT_EQ(report.recall[0] + report.ndcg[0] + report.hit_rate[0] + report.mrr[0], 0.0);
}

TEST(Ranking, ItemsFallIntoPopularityBucketsByTheirRank) {
  std::vector<uint32_t> counts(200);
  for (uint32_t i = 0; i < 200; ++i) counts[i] = i < 20 ? 0 : 1000 - i;  // most popular: 20, 21, ...
  const ItemPopularity popularity(counts);
  const auto& bucket_of = popularity.buckets().of_item;
  EXPECT_EQ(bucket_of[21], 0);
  EXPECT_EQ(bucket_of[22], 1);
  EXPECT_EQ(bucket_of[29], 1);
  EXPECT_EQ(bucket_of[30], 2);
  EXPECT_EQ(bucket_of[60], 3);
  EXPECT_EQ(bucket_of[120], 4);
  EXPECT_EQ(bucket_of[0], 4);
  EXPECT_FALSE(popularity.in_long_tail(59));
  EXPECT_TRUE(popularity.in_long_tail(60));

  const auto report = rank({user({20, 70, 0, 5}, {0, 1, 20, 70, 71})}, {1, 3}, popularity);
  std::vector<uint64_t> items, positives;
  for (const auto& bucket : report.by_item_popularity) {
    items.push_back(bucket.items);
    positives.push_back(bucket.test_positives);
  }
  EXPECT_EQ(items, (std::vector<uint64_t>{2, 8, 30, 60, 100}));
  EXPECT_EQ(positives, (std::vector<uint64_t>{1, 0, 0, 2, 2}));
  EXPECT_EQ(report.by_item_popularity[0].name, "top 1%");
  expect_near(report.by_item_popularity[0].recall, {1, 1});
  expect_near(report.by_item_popularity[1].recall, {kNothing, kNothing});
  expect_near(report.by_item_popularity[3].recall, {0, 0.5});
  expect_near(report.by_item_popularity[4].recall, {0, 0.5});
  expect_near(report.by_item_popularity[0].recommended, {1, 1.0 / 3});
  expect_near(report.by_item_popularity[4].recommended, {0, 1.0 / 3});
  EXPECT_EQ(report.by_item_popularity[0].train_positives, 980u + 979u);
  EXPECT_EQ(report.zero_train_positives.items, 20u);
  EXPECT_EQ(report.zero_train_positives.test_positives, 2u);
  expect_near(report.zero_train_positives.recall, {0, 0.5});
}

TEST(Ranking, ASmallCatalogueStillHasATop) {
  const ItemPopularity popularity({5, 9, 1});
  EXPECT_EQ(popularity.buckets().of_item, (std::vector<uint8_t>{3, 0, 4}));
}

TEST(Ranking, DecilesAreTenthsOfTheTrainRows) {
  // 100 rows: item 4 has 40 (rows 0 to 40, middle 20), item 0 has 25 (middle 52.5), item 2 has 20 (75), item 3 has 10
  // (90), item 1 has 5 (97.5), item 5 none.
  const ItemPopularity popularity({25, 5, 20, 10, 40, 0});
  EXPECT_EQ(popularity.deciles().of_item, (std::vector<uint8_t>{5, 9, 7, 9, 2, ItemGroups::kNone}));
  // Test rows on 4, 1, 3, 5; hits on 4 at rank 1 and on 3 at rank 3.
  const auto report = rank({user({4, 0, 3}, {1, 3, 4, 5})}, {1, 3}, popularity);
  const auto& deciles = report.by_popularity_decile;
  ASSERT_EQ(deciles.size(), 10u);
  EXPECT_EQ(deciles[2].name, "3");
  EXPECT_EQ(deciles[2].items, 1u);
  EXPECT_EQ(deciles[2].train_positives, 40u);
  EXPECT_EQ(deciles[2].test_positives, 1u);
  expect_near(deciles[2].recall, {1, 1});
  expect_near(deciles[2].recommended, {1, 1.0 / 3});
  EXPECT_EQ(deciles[9].items, 2u);
  EXPECT_EQ(deciles[9].train_positives, 15u);
  EXPECT_EQ(deciles[9].test_positives, 2u);
  expect_near(deciles[9].recall, {0, 0.5});
  expect_near(deciles[9].recommended, {0, 1.0 / 3});
  EXPECT_EQ(deciles[0].items, 0u);
  expect_near(deciles[0].recall, {kNothing, kNothing});
  uint64_t positives = report.zero_train_positives.test_positives;
  for (const auto& decile : deciles) positives += decile.test_positives;
  EXPECT_EQ(positives, report.test_positives) << "the deciles and the items without rows are all there is";
}

TEST(Ranking, ItemsOfLikeCountFillTheDecilesEvenly) {
  const ItemPopularity popularity(std::vector<uint32_t>(20, 7));
  for (size_t item = 0; item < 20; ++item) EXPECT_EQ(popularity.deciles().of_item[item], item / 2);
  const ItemPopularity nothing(std::vector<uint32_t>(3, 0));
  for (size_t item = 0; item < 3; ++item) EXPECT_EQ(nothing.deciles().of_item[item], ItemGroups::kNone);
}

TEST(Ranking, ItemsAreJudgedByTheirAge) {
  constexpr int64_t kDay = 86'400'000'000, kNow = 20'000 * kDay;
  const std::vector<int64_t> born{
      kNow + 1,          kNow,     kNow - 7 * kDay + 1, kNow - 7 * kDay, kNow - 29 * kDay, kNow - 30 * kDay,
      kNow - 180 * kDay, INT64_MIN};
  const auto ages = items_by_age(born, kNow);
  EXPECT_EQ(ages.names,
            (std::vector<std::string>{"not born yet", "under 7 d", "7-30 d", "30-180 d", "180-730 d", "unknown"}));
  EXPECT_EQ(ages.of_item, (std::vector<uint8_t>{0, 1, 1, 2, 2, 3, 4, 5}));
  EXPECT_EQ(items_by_age(std::vector<int64_t>{kNow - 730 * kDay}, kNow).names,
            (std::vector<std::string>{"over 730 d"}));

  const ItemPopularity popularity({0, 1, 1, 3, 1, 1, 1, 1});
  RankingAccumulator sum({1, 4}, popularity, &ages);
  sum.add(user({3, 1, 6, 4}, {0, 2, 3, 4}).view());
  RankingAccumulator more({1, 4}, popularity, &ages);
  more.add(user({3, 0, 5, 7}, {4}).view());
  sum.merge(more);
  const auto report = sum.report();
  ASSERT_EQ(report.by_item_age.size(), 6u);
  EXPECT_EQ(report.by_item_age[0].test_positives, 1u);
  expect_near(report.by_item_age[0].recall, {0, 0});
  expect_near(report.by_item_age[0].recommended, {0, 1.0 / 8});
  EXPECT_EQ(report.by_item_age[2].items, 2u);
  EXPECT_EQ(report.by_item_age[2].test_positives, 3u);  // 3 and 4 of the first user, 4 of the second
  EXPECT_EQ(report.by_item_age[2].train_positives, 4u);
  expect_near(report.by_item_age[2].recall, {1.0 / 3, 2.0 / 3});
  expect_near(report.by_item_age[2].recommended, {1, 3.0 / 8});
  EXPECT_TRUE(rank({user({1}, {1})}, {1}, popularity).by_item_age.empty());
}

TEST(Ranking, TheLongTailIsWhatLiesOutsideTheTopFifth) {
  // Ten items: the top fifth is two of them, by count and then by row: 3 and 1.
  const ItemPopularity popularity({5, 9, 5, 10, 1, 1, 0, 0, 0, 5});
  std::vector<uint32_t> head;
  for (uint32_t item = 0; item < 10; ++item)
    if (!popularity.in_long_tail(item)) head.push_back(item);
  EXPECT_EQ(head, (std::vector<uint32_t>{1, 3}));
  // Places: 3, 0 / 1, 6: half of them in the tail; (10 + 5 + 9 + 0) / 4 rows on average; 4 of 10 items; and the Gini of
  // six 0 and four 1: 2 (7 + 8 + 9 + 10) / (10 * 4) - 11 / 10.
  const auto report = rank({user({3, 0}, {0}), user({1, 6}, {0})}, {2}, popularity);
  expect_near(report.long_tail_share, {0.5});
  expect_near(report.average_popularity, {6});
  expect_near(report.coverage, {0.4});
  expect_near(report.gini, {0.6});
}

TEST(Ranking, OneItemInEveryPlaceHasTheLargestGini) {
  const ItemPopularity popularity(std::vector<uint32_t>(50, 1));
  expect_near(rank({user({7}, {1}), user({7}, {1})}, {1}, popularity).gini, {1 - 1.0 / 50});
}

TEST(Ranking, WhatIsRecommendedIsCountedOverTheWholeCatalogue) {
  const ItemPopularity popularity({10, 4, 2, 0, 0});  // the top 20% is item 0
  const auto report = rank({user({0, 1, 2}, {4}), user({0, 2, 1}, {4})}, {1, 2}, popularity);
  expect_near(report.coverage, {1.0 / 5, 3.0 / 5});
  // K = 1: counts 0 0 0 0 2. K = 2: 0 0 1 1 2, so 2 (3 + 4 + 10) / (5 * 4) - 6 / 5.
  expect_near(report.gini, {0.8, 1.7 - 1.2});
  expect_near(report.average_popularity, {10, (10 + 4 + 10 + 2) / 4.0});
  expect_near(report.long_tail_share, {0, 0.5});
}

TEST(Ranking, EvenExposureHasAGiniOfZero) {
  const ItemPopularity popularity({1, 1, 1});
  expect_near(rank({user({0}, {1}), user({1}, {1}), user({2}, {1})}, {1}, popularity).gini, {0});
  const auto nobody = rank({}, {1}, popularity);
  EXPECT_EQ(nobody.users, 0u);
  for (const auto* figure : {&nobody.recall, &nobody.ndcg, &nobody.hit_rate, &nobody.mrr, &nobody.coverage,
                             &nobody.gini, &nobody.average_popularity, &nobody.long_tail_share})
    expect_near(*figure, {kNothing});
}

TEST(Ranking, UsersOfOneHistoryLengthStayInOneActivityBucket) {
  const ItemPopularity popularity(std::vector<uint32_t>(5, 1));
  std::vector<User> users;
  for (const size_t history : {3, 3, 3, 3, 3, 8, 1, 5, 5, 9})
    users.push_back(user({0, 1}, {history == 3 ? 0u : 1u}, 0, history));
  const auto report = rank(users, {1}, popularity);
  // By length: 1 x 1, 3 x 5, 5 x 2, 8 x 1, 9 x 1. Fifths end at 2, 4, 6, 8, 10 users.
  std::vector<std::array<uint64_t, 3>> got;
  for (const auto& bucket : report.by_user_activity) got.push_back({bucket.shortest, bucket.longest, bucket.users});
  EXPECT_EQ(got, (std::vector<std::array<uint64_t, 3>>{{1, 3, 6}, {5, 5, 2}, {8, 9, 2}}));
  expect_near(report.by_user_activity[0].recall, {5.0 / 6});
  expect_near(report.by_user_activity[2].recall, {0});
}

// Of distinct scores the figures are what the definitions say, computed here over sets.
TEST(Ranking, RandomListsAgreeWithTheDefinitions) {
  Rng rng(1, Stream::test);
  const size_t items = 60;
  const ItemPopularity popularity(std::vector<uint32_t>(items, 1));
  std::vector<User> users;
  for (int n = 0; n < 300; ++n) {
    std::vector<uint32_t> list(items);
    for (uint32_t i = 0; i < items; ++i) list[i] = i;
    rng.shuffle(std::span(list));
    std::set<uint32_t> relevant;
    for (size_t r = rng.below(12); r > 0; --r) relevant.insert(static_cast<uint32_t>(rng.below(items)));
    list.resize(rng.below(2) ? 21 : rng.below(21));
    users.push_back(user(list, {relevant.begin(), relevant.end()}, rng.below(2), rng.below(30)));
  }
  const std::vector<size_t> ks{1, 5, 20};
  const auto report = rank(users, ks, popularity);
  for (size_t k = 0; k < ks.size(); ++k) {
    double recall = 0, ndcg = 0, hit_rate = 0, mrr = 0, map = 0, precision = 0, n = 0;
    for (const auto& u : users) {
      const size_t wanted = u.relevant.size() + u.outside;
      if (wanted == 0) continue;
      double hits = 0, dcg = 0, ideal = 0, first = 0, precisions = 0;
      for (size_t i = 0; i < std::min(ks[k], u.items.size()); ++i) {
        if (!std::count(u.relevant.begin(), u.relevant.end(), u.items[i])) continue;
        if (hits++ == 0) first = 1.0 / (i + 1.0);
        dcg += 1 / std::log2(i + 2.0);
        precisions += hits / (i + 1.0);
      }
      for (size_t i = 0; i < std::min(ks[k], wanted); ++i) ideal += 1 / std::log2(i + 2.0);
      n += 1;
      recall += hits / wanted;
      ndcg += dcg / ideal;
      hit_rate += hits > 0;
      mrr += first;
      map += precisions / static_cast<double>(std::min(ks[k], wanted));
      precision += hits / static_cast<double>(ks[k]);
    }
    EXPECT_NEAR(report.recall[k], recall / n, kTiny);
    EXPECT_NEAR(report.ndcg[k], ndcg / n, kTiny);
    EXPECT_NEAR(report.hit_rate[k], hit_rate / n, kTiny);
    EXPECT_NEAR(report.mrr[k], mrr / n, kTiny);
    EXPECT_NEAR(report.map[k], map / n, kTiny);
    EXPECT_NEAR(report.precision[k], precision / n, kTiny);
  }
}

TEST(Ranking, PartsMergedInOrderGiveTheWhole) {
  const ItemPopularity popularity({4, 3, 2, 1, 0, 0});
  const std::vector<User> users{user({0, 1, 2}, {2}, 0, 2), user({3, 4, 5}, {0, 4}, 1, 7),
                                user({1, 0, 5}, {1, 5}, 0, 2)};
  const std::vector<size_t> ks{1, 2};
  RankingAccumulator first(ks, popularity), second(ks, popularity);
  first.add(users[0].view());
  second.add(users[1].view());
  second.add(users[2].view());
  first.merge(second);
  const auto merged = first.report(), whole = rank(users, ks, popularity);
  expect_near(merged.ndcg, whole.ndcg);
  // Everything else is a sum of whole numbers or halves: equal to the last digit.
  EXPECT_EQ(ranking_json(merged, {}).substr(0, 120), ranking_json(whole, {}).substr(0, 120));
  EXPECT_EQ(merged.hit_rate, whole.hit_rate);
  EXPECT_EQ(merged.gini, whole.gini);
  EXPECT_EQ(merged.coverage, whole.coverage);
  EXPECT_EQ(merged.average_popularity, whole.average_popularity);
  EXPECT_EQ(merged.zero_train_positives.recall, whole.zero_train_positives.recall);
  EXPECT_EQ(merged.by_user_activity.size(), whole.by_user_activity.size());
  EXPECT_EQ(merged.outside_catalogue, 1u);
}

TEST(Ranking, TheJsonHasItsKeysInAFixedOrder) {
  const ItemPopularity popularity({1, 0});
  const auto text = ranking_json(rank({user({0, 1}, {1}, 0, 4)}, {1, 2}, popularity),
                                 {.split = "test", .chosen_on = "validation", .seconds = 1.5, .fingerprint = "ab"});
  const auto json = nlohmann::ordered_json::parse(text);
  std::vector<std::string> keys, metrics;
  for (const auto& [key, value] : json.items()) keys.push_back(key);
  for (const auto& [key, value] : json["metrics"].items()) metrics.push_back(key);
  EXPECT_EQ(keys, (std::vector<std::string>{"split",
                                            "users",
                                            "items",
                                            "chosen_on",
                                            "test_positives",
                                            "test_positives_outside_catalogue",
                                            "test_positives_in_history",
                                            "repeats",
                                            "test_rows",
                                            "metrics",
                                            "by_item_popularity",
                                            "by_popularity_decile",
                                            "by_item_age",
                                            "zero_train_positives",
                                            "by_user_activity",
                                            "coverage@1",
                                            "coverage@2",
                                            "gini@1",
                                            "gini@2",
                                            "average_popularity@1",
                                            "average_popularity@2",
                                            "long_tail_share@1",
                                            "long_tail_share@2",
                                            "seconds",
                                            "model"}));
  EXPECT_EQ(metrics, (std::vector<std::string>{"recall@1", "recall@2", "ndcg@1", "ndcg@2", "hit_rate@1", "hit_rate@2",
                                               "mrr@1", "mrr@2", "map@1", "map@2", "precision@1", "precision@2"}));
  EXPECT_EQ(json["metrics"]["recall@2"], 1.0);
  EXPECT_EQ(json["zero_train_positives"].dump(),
            R"({"items":1,"test_positives":1,"recall@1":0.0,"recall@2":1.0,"recommended@1":0.0,"recommended@2":0.5})");
  EXPECT_EQ(json["by_popularity_decile"][5].dump(),
            R"({"decile":"6","items":1,"test_positives":0,"train_positives":1,"recall@1":null,"recall@2":null,)"
            R"("recommended@1":1.0,"recommended@2":0.5})");
  EXPECT_EQ(json["by_item_age"].dump(), "[]");
  EXPECT_EQ(json["by_user_activity"][0].dump(),
            R"({"shortest_history":4,"longest_history":4,"users":1,"recall@1":0.0,"recall@2":1.0})");
  EXPECT_EQ(json["model"]["fingerprint"], "ab");
}

}  // namespace
}  // namespace pagoda::evaluate
