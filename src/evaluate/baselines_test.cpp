#include "evaluate/baselines.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace pagoda::evaluate {
namespace {

// Items 0 .. 4 with 5, 3, 3, 1 and 0 training rows; two users and what they are judged by.
class BaselinesTest : public testing::Test {
 protected:
  void SetUp() override {
    for (const auto& list : {std::vector<uint32_t>{0, 3}, std::vector<uint32_t>{1}, std::vector<uint32_t>{0, 1, 2}})
      states_.histories.push(list);
    relevant_.push(std::vector<uint32_t>{1});
    relevant_.push(std::vector<uint32_t>{2, 4});
    model_.recall = {{1, 1}};
    for (auto* metric : {&model_.ndcg, &model_.hit_rate, &model_.mrr, &model_.map, &model_.precision})
      *metric = {{0, 0}};
  }

  Baselines judge(dataset::Repeats repeats, ItemKnnOptions knn = {}, std::optional<RecentRows> recent = {}) {
    return judge_baselines(pool_, {.states = &states_,
                                   .judged = {users_, &relevant_, outside_, repeats},
                                   .ks = {1},
                                   .popularity = &popularity_,
                                   .recent = std::move(recent),
                                   .why_no_recent = "no times",
                                   .histories = &states_.histories,
                                   .model = &model_,
                                   .knn = knn});
  }

  ThreadPool pool_{2};
  model::UserStates states_;
  std::vector<uint32_t> users_{0, 1}, outside_{0, 0};
  math::Ragged<uint32_t> relevant_;
  ItemPopularity popularity_{{5, 3, 3, 1, 0}};
  UserMetrics model_;
};

TEST_F(BaselinesTest, AreJudgedAsTheModelIs) {
  const auto out = judge(dataset::Repeats::miss);
  ASSERT_EQ(out.judged.size(), 2u);
  EXPECT_EQ(out.judged[0].name, "popularity");
  // The first user had item 0 and is offered 1, which comes before 2 in the catalogue; the second is offered item 0.
  EXPECT_EQ(out.judged[0].report.hit_rate[0], 0.5);
  EXPECT_EQ(out.judged[0].report.recall[0], 0.5);
  EXPECT_EQ(judge(dataset::Repeats::keep).judged[0].report.hit_rate[0], 0) << "item 0, that the first user had";
  // The second user's item 1 stands beside 0 and 2 once each; 0 and 2 are equally near but for the length.
  EXPECT_EQ(out.judged[1].name, "item_knn");
  ASSERT_EQ(out.left_out.size(), 1u);
  EXPECT_EQ(out.left_out[0], (std::pair<std::string, std::string>("recent_popularity", "no times")));
}

TEST_F(BaselinesTest, TheDifferenceIsPairedAndHasTheSignOfTheModelsGain) {
  const auto out = judge(dataset::Repeats::miss);
  const auto& popularity = out.judged[0];  // recall 1 and 0 of the two users; of the model 1 and 1
  EXPECT_EQ(popularity.differences.recall[0].low, 0);
  EXPECT_EQ(popularity.differences.recall[0].high, 1);
  RankingReport model;
  model.ks = {1};
  model.users = 2;
  model.recall = {1};
  EXPECT_NE(doubts_about(model, out, "recall", 0).find("perhaps no better than popularity (0.5000, difference +0.5000"),
            std::string::npos);
  model.recall = {0.25};
  EXPECT_NE(doubts_about(model, out, "recall", 0).find("no better than popularity (0.5000, difference -0.2500"),
            std::string::npos);
}

TEST_F(BaselinesTest, ItemKnnIsLeftOutWhereItCostsTooMuch) {
  EXPECT_EQ(judge(dataset::Repeats::miss, {.nearest = {}, .most_bytes = 10}).left_out.back().first, "item_knn");
  EXPECT_EQ(judge(dataset::Repeats::miss, {.nearest = {}, .most_bytes = 1e9}).left_out.back().first,
            "recent_popularity");
}

TEST_F(BaselinesTest, RecentPopularityIsOfTheNewestTenth) {
  std::vector<uint32_t> items(20, 0);
  std::vector<int64_t> times;
  for (int64_t row = 0; row < 20; ++row) times.push_back(row / 3 * 1000);
  items[18] = items[19] = 2;
  const auto recent = newest_tenth(items, times, 5);
  ASSERT_TRUE(recent);
  EXPECT_EQ(recent->rows, 2u);
  EXPECT_EQ(recent->counts, (std::vector<uint32_t>{0, 0, 2, 0, 0}));
  EXPECT_EQ(recent->first_us, 6000);
  const auto out = judge(dataset::Repeats::miss, {}, recent);
  EXPECT_EQ(out.judged[1].name, "recent_popularity");
  EXPECT_EQ(out.judged[1].report.recall[0], 0.25) << "item 2 for both: one of the second user's two";
  EXPECT_FALSE(newest_tenth(items, std::vector<int64_t>(20, 7), 5)) << "nothing is newer than the rest";
  EXPECT_FALSE(newest_tenth({}, {}, 5));
}

TEST_F(BaselinesTest, IntervalsOfManyUsersAreThoseOfAllOfThem) {
  UserMetrics metrics;
  for (auto* metric : metrics.all()) metric->resize(1);
  for (int user = 0; user < 30000; ++user)
    for (auto* metric : metrics.all()) (*metric)[0].push_back(user % 10 == 0);
  const auto interval = bootstrap_intervals(pool_, metrics).recall[0];
  EXPECT_LE(interval.low, 0.1);
  EXPECT_GE(interval.high, 0.1);
  EXPECT_LT(interval.high - interval.low, 5 * std::sqrt(0.09 / 30000));
}

}  // namespace
}  // namespace pagoda::evaluate
