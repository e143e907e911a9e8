#include "train/suited.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace pagoda::train {
namespace {

TEST(Suited, ALogThatTakesAWhileHasShorterVectors) {
  auto options = suited_options();
  EXPECT_TRUE(suit_size(options, {.rows = 1'000'000, .items = 9000}).empty());
  EXPECT_EQ(options.towers.model.dim, 128);
  const auto said = suit_size(options, {.rows = 3'000'000, .items = 9000});
  EXPECT_EQ(options.towers.model.dim, 64);
  ASSERT_EQ(said.size(), 1u);
  EXPECT_TRUE(said[0].starts_with("model.dim = 64")) << said[0];
  auto told = suited_options();
  told.towers.model.dim = 32;
  suit_size(told, {.rows = 3'000'000, .items = 9000});
  EXPECT_EQ(told.towers.model.dim, 32);
}

TEST(Suited, ASmallCatalogueHasShortLists) {
  dataset::Options options;
  suit_size(options, {.rows = 300, .items = 60});
  EXPECT_EQ(options.evaluate.k, std::vector<int64_t>{20});
  EXPECT_EQ(options.train.choose_by, "recall@20");
  EXPECT_EQ(options.train.batch, 64);
  dataset::Options large;
  suit_size(large, {.rows = 10'000'000, .items = 100'000});
  EXPECT_EQ(large.evaluate.k, (std::vector<int64_t>{20, 100, 1000}));
  EXPECT_EQ(large.train.choose_by, "recall@100");
  EXPECT_EQ(large.train.batch, dataset::Options().train.batch);
}

TEST(Suited, WhatAUserHadIsANegativeWhereListsKeepIt) {
  auto options = suited_options();
  suit_history(options);
  EXPECT_TRUE(options.train.mask_history_items);
  options.evaluate.repeats = dataset::Repeats::keep;
  suit_history(options);
  EXPECT_FALSE(options.train.mask_history_items);
  EXPECT_EQ(options.towers.user.history.table, features::HistoryTable::shared);
  options.towers.item.id.enabled = false;
  suit_history(options);
  EXPECT_EQ(options.towers.user.history.table, features::HistoryTable::own);
}

constexpr int64_t kHour = int64_t{3600} * 1000000, kDay = 24 * kHour;

struct Log {
  std::vector<int64_t> time_us;
  std::vector<uint32_t> user;
  void add(uint32_t who, int64_t when) {
    user.push_back(who);
    time_us.push_back(when);
  }
  std::string suit(data::SplitOptions& split) const {
    return suit_split(split, {.time_us = time_us, .user = user, .users = *std::ranges::max_element(user) + 1});
  }
};

TEST(Suited, ASplitInTimeIsAsShortAsLeavesEnoughUsersToJudgeBy) {
  Log log;  // 3,000 users come back every 20 days, for 200 days
  for (uint32_t user = 0; user < 3000; ++user)
    for (int64_t visit = 0; visit < 10; ++visit) log.add(user, visit * 20 * kDay + user % 480 * kHour);
  data::SplitOptions split;
  const auto said = log.suit(split);
  EXPECT_EQ(split.kind, data::SplitKind::time);
  // A third of them in seven days, the first round duration with 1,000 users and more.
  EXPECT_EQ(split.test, "7d") << said;
  EXPECT_EQ(split.validation, "7d");
  EXPECT_TRUE(said.starts_with("Split by time: the last 7d (1008 rows, 1008 users to judge by)")) << said;
}

TEST(Suited, UsersWhoNeverReturnAreJudgedByTheirLastRow) {
  Log log;  // 900 users of one evening each, 40 rows in it
  for (uint32_t user = 0; user < 900; ++user)
    for (int64_t row = 0; row < 40; ++row) log.add(user, user * 6 * kHour + row * kHour / 60);
  data::SplitOptions split;
  const auto said = log.suit(split);
  EXPECT_EQ(split.kind, data::SplitKind::leave_last) << said;
  EXPECT_TRUE(said.starts_with("Split by each user's last row: the best cut in time leaves ")) << said;
  EXPECT_NE(said.find("The last row of 900 users judges"), std::string::npos) << said;
}

TEST(Suited, AFewUsersAreSplitByTimeWhereTheirLastRowsWouldNotBeMore) {
  Log log;  // 60 users who come every day for a hundred days: no split has 200
  for (uint32_t user = 0; user < 60; ++user)
    for (int64_t day = 0; day < 100; ++day) log.add(user, day * kDay + user * 60 * 1000000);
  data::SplitOptions split;
  EXPECT_TRUE(log.suit(split).starts_with("Split by time: the last 7d")) << split.test;
}

TEST(Suited, WithoutACutTheSplitIsByLastRowsOrAtRandom) {
  data::SplitOptions split;
  Log at_once;
  for (uint32_t row = 0; row < 100; ++row) at_once.add(row / 4, kDay);
  EXPECT_TRUE(
      at_once.suit(split).starts_with("Split by each user's last row: no cut in time leaves rows in all three"));
  Log pairs;
  for (uint32_t row = 0; row < 100; ++row) pairs.add(row / 2, kDay);
  EXPECT_TRUE(pairs.suit(split).starts_with("Split at random: no cut in time"));
  EXPECT_EQ(split.kind, data::SplitKind::random);
}

TEST(Suited, WhereNobodyHasTwoRowsRowsAreCounted) {
  Log log;
  for (uint32_t user = 0; user < 5000; ++user) log.add(user, user * kHour);
  data::SplitOptions split;
  const auto said = log.suit(split);
  EXPECT_EQ(split.kind, data::SplitKind::time) << said;
}

}  // namespace
}  // namespace pagoda::train
