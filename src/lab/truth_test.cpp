#include "lab/truth.h"

#include <nlohmann/json.hpp>

#include "lab/lab_test.h"

namespace pagoda::lab {
namespace {

class TruthTest : public LabTest {};

TEST_F(TruthTest, AFileIsReadInOrderOfRank) {
  const auto truth = read_truth(file("t.csv",
                                     "user_id,item_id,rank,probability,shown,clicked\n"
                                     "u1,b,2,0.5,true,false\nu2,a,1,0.9,1,1\nu1,a,1,0.9,false,false\n"));
  ASSERT_EQ(truth.users.size(), 2u);
  ASSERT_EQ(truth.liked.size(), 2u);
  const auto u1 = truth.liked[truth.users.find("u1")];
  ASSERT_EQ(u1.size(), 2u);
  EXPECT_EQ(truth.items[u1[0].item], "a");
  EXPECT_FALSE(u1[0].shown);
  EXPECT_EQ(truth.items[u1[1].item], "b");
  EXPECT_TRUE(u1[1].shown);
}

TEST_F(TruthTest, WhatIsNoTruthIsRefused) {
  const auto refusal = [&](std::string_view text) {
    return error_of(ErrorKind::input, [&] { read_truth(file("t.csv", text)); });
  };
  EXPECT_NE(refusal("user_id,item_id,rank\nu,i,1\n").find("shown"), std::string::npos);
  EXPECT_NE(refusal("user_id,item_id,rank,shown\nu,i,x,true\n").find("t.csv:2: 'rank'"), std::string::npos);
  EXPECT_NE(refusal("user_id,item_id,rank,shown\nu,i,1,maybe\n").find("'shown'"), std::string::npos);
  EXPECT_NE(refusal("user_id,item_id,rank,shown\nu,i,1,1\nu,j,1,1\n").find("two items of rank 1"), std::string::npos);
  error_of(ErrorKind::input, [&] { read_truth(path("none.parquet")); });
}

// One dimension: an item's vector is its score for user 0; user 1 has all of them turned around.
//
//   row            0   1   2   3   4   5   6   7
//   score          8   7   6   5   4   4   2   1     (user 1: the same, negative)
//   training rows  3   0   2   0   5   0   0   1
//
// User 0 has had 0; its truth lists 1 (never shown), 5 (never shown), 2 (shown), of which all are good.
//   candidates     1 2 3 4 5 6 7, as 4 and 5 have one score the relevant one stands last
//   ranks          1 is first: 0 / 6; 5 has three before it and one beside it: 3.5 / 6
//   recall@3       1 and 2 of 3 good; of the never shown 1 of 2
//   intrusion@3    of 1, 2, 3 only 3 has no training row and is not listed: 1/3
//   by chance      3 and 6 of 7
// User 1 has had 7 and 4; its truth lists 3 (shown, good) and one good item that the catalogue does not have.
//   candidates     6 5 3 2 1 0
//   recall@3       3 is third: 1 of 2
//   intrusion@3    6 and 5 of 6, 5, 3: 2/3
//   by chance      6, 5, 1 of 6
struct World {
  math::Matrix<float> items{8, 1}, users{2, 1};
  model::UserStates states;
  TruthUsers truth;
  std::vector<uint64_t> counts{3, 0, 2, 0, 5, 0, 0, 1};
  ThreadPool pool{2};

  World() {
    const float scores[] = {8, 7, 6, 5, 4, 4, 2, 1};
    std::copy(std::begin(scores), std::end(scores), items.begin());
    users[0][0] = 1;
    users[1][0] = -1;
    states.histories.push(std::vector<uint32_t>{0});
    states.histories.push(std::vector<uint32_t>{7, 4});
    truth.ids = {"a", "b"};
    truth.users = {0, 1};
    truth.listed.push(std::vector<uint32_t>{1, 2, 5});
    truth.listed.push(std::vector<uint32_t>{3});
    truth.good = truth.listed;
    truth.never_shown.push(std::vector<uint32_t>{1, 5});
    truth.never_shown.push({});
    truth.good_outside = {0, 1};
    truth.unseen_outside = {0, 0};
  }
  TruthReport judge(const std::vector<int64_t>& ks) {
    return evaluate_truth(pool, items, users, states, truth, counts, ks);
  }
};

TEST_F(TruthTest, ATinyWorldIsWorkedByHand) {
  World world;
  const auto report = world.judge({1, 3});
  EXPECT_EQ(report.users, 2u);
  EXPECT_EQ(report.good, 4u);
  EXPECT_EQ(report.never_shown, 2u);
  EXPECT_EQ(report.outside_catalogue, 1u);
  EXPECT_NEAR(report.never_shown_rank, (0 + 3.5 / 6) / 2, 1e-12) << "only user 0 has such items";
  EXPECT_NEAR(report.never_shown_rank_median, (0 + 3.5 / 6) / 2, 1e-12);
  EXPECT_NEAR(report.recall[0], (1.0 / 3 + 0) / 2, 1e-12);
  EXPECT_NEAR(report.recall[1], (2.0 / 3 + 1.0 / 2) / 2, 1e-12);
  EXPECT_NEAR(report.never_shown_recall[1], 0.5, 1e-12);
  EXPECT_NEAR(report.intrusion[0], (0 + 1.0) / 2, 1e-12);
  EXPECT_NEAR(report.intrusion[1], (1.0 / 3 + 2.0 / 3) / 2, 1e-12);
  EXPECT_NEAR(report.intrusion_by_chance, (2.0 / 7 + 3.0 / 6) / 2, 1e-12);

  const auto& table = report.of_users;
  EXPECT_EQ(table.users, (std::vector<std::string>{"a", "b"}));
  EXPECT_NEAR((*table.find("intrusion@3"))[1], 2.0 / 3, 1e-12);
  EXPECT_NEAR((*table.find("never_shown_rank"))[0], 3.5 / 12, 1e-12);
  EXPECT_TRUE(std::isnan((*table.find("never_shown_rank"))[1]));
  EXPECT_TRUE(std::isnan((*table.find("never_shown_recall@3"))[1]));
  const auto json = nlohmann::json::parse(truth_json(report));
  EXPECT_EQ(json["never_shown_good_items"], 2);
  EXPECT_NEAR(json["intrusion@3"].get<double>(), 0.5, 1e-12);
}

TEST_F(TruthTest, ACollapsedModelStandsWhereChanceDoes) {
  World world;
  world.users.fill(0);
  const auto report = world.judge({3});
  EXPECT_EQ(report.never_shown_rank, 0.5);
  EXPECT_EQ(report.recall[0], 0) << "a tie is no hit";
  world.users.fill(NAN);
  EXPECT_EQ(world.judge({3}).never_shown_rank, 1);
}

TEST_F(TruthTest, WithoutNeverShownItemsThereIsNoRank) {
  World world;
  world.truth.never_shown = {};
  world.truth.never_shown.push({});
  world.truth.never_shown.push({});
  const auto report = world.judge({3});
  EXPECT_TRUE(std::isnan(report.never_shown_rank));
  EXPECT_TRUE(nlohmann::json::parse(truth_json(report))["never_shown_rank"].is_null());
}

TEST_F(TruthTest, ATableOfUsersIsReadBackAsItWasWritten) {
  const evaluate::UserTable table{{"u1", "2", ""}, {"recall@20", "x"}, {{0.1, NAN, 1.0 / 3}, {NAN, NAN, 2}}};
  evaluate::write_user_table(path("t.parquet"), table);
  const auto read = evaluate::read_user_table(path("t.parquet"));
  EXPECT_EQ(read.users, table.users);
  EXPECT_EQ(read.names, table.names);
  for (size_t c = 0; c < 2; ++c)
    for (size_t u = 0; u < 3; ++u)
      EXPECT_TRUE(read.columns[c][u] == table.columns[c][u] || std::isnan(table.columns[c][u])) << c << " " << u;
  EXPECT_TRUE(std::isnan(read.columns[0][1]));
  EXPECT_EQ(read.find("y"), nullptr);
  error_of(ErrorKind::input, [&] { evaluate::read_user_table(path("none.parquet")); });
}

}  // namespace
}  // namespace pagoda::lab
