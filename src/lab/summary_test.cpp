#include "lab/summary.h"

#include "lab/lab_test.h"

namespace pagoda::lab {
namespace {

TEST(Means, NumbersAreJoinedInTheShapeTheyStandIn) {
  const std::vector<Json> seeds{
      Json::parse(R"({"split": "test", "users": 3, "f": "x", "metrics": {"recall@5": 0.1, "gone": 1},
                      "buckets": [{"bucket": "top", "recall@5": 0.2}, {"bucket": "tail", "recall@5": null}]})"),
      Json::parse(R"({"split": "test", "users": 3, "f": "y", "metrics": {"recall@5": 0.3},
                      "buckets": [{"bucket": "top", "recall@5": 0.4}, {"bucket": "tail", "recall@5": 0.5}]})")};
  EXPECT_EQ(mean_of(seeds).dump(), R"({"split":"test","users":3,"metrics":{"recall@5":0.2},)"
                                   R"("buckets":[{"bucket":"top","recall@5":0.30000000000000004},)"
                                   R"({"bucket":"tail","recall@5":0.5}]})");
  const auto spread = spread_of(seeds);
  EXPECT_NEAR(spread["metrics"]["recall@5"].get<double>(), 0.2 / std::sqrt(2.0), 1e-12);
  EXPECT_EQ(spread["users"], 0);
  EXPECT_TRUE(spread["buckets"][1]["recall@5"].is_null()) << "one number has no spread";
  EXPECT_TRUE(spread_of({seeds[0]})["users"].is_null());
  EXPECT_FALSE(mean_of({Json::parse("{\"a\": [1]}"), Json::parse("{\"a\": [1, 2]}")}).contains("a"));
}

class SummaryTest : public LabTest {
 protected:
  // Three variants, two seeds, four users.
  void SetUp() override {
    LabTest::SetUp();
    file("base.toml", "[data]\ninteractions = [\"x.csv\"]\n");
    plan_ = read_plan(file("lab.toml",
                           "base = \"base.toml\"\nseeds = [1, 2]\nmetrics = [\"ndcg@9\", \"recall@5\"]\n"
                           "[[variant]]\nname = \"a\"\n[[variant]]\nname = \"b\"\n[[variant]]\nname = \"c\"\n"),
                      {});
  }

  static RunResult run(const std::vector<double>& recall, double tail, double cold) {
    double mean = 0;
    for (const double r : recall) mean += r / static_cast<double>(recall.size());
    const Json evaluation{{"metrics", {{"recall@5", mean}, {"ndcg@9", 0.5}}},
                          {"by_item_popularity",
                           {{{"bucket", "top 1%"}, {"test_positives", 10}, {"recall@5", 0.9}},
                            {{"bucket", "20-50%"}, {"test_positives", 3}, {"recall@5", tail}},
                            {{"bucket", "bottom 50%"}, {"test_positives", 1}, {"recall@5", 0.0}}}},
                          {"zero_train_positives", {{"test_positives", 2}, {"recall@5", cold}}}};
    RunResult result{.config = "", .judged_by = "", .fingerprint = "", .evaluation = evaluation.dump(), .run_log = ""};
    result.users = {{"u", "v", "w", "x"}, {"recall@5", "ndcg@9"}, {recall, {0.5, 0.5, 0.5, 0.5}}};
    return result;
  }

  Plan plan_;
  ThreadPool pool_{2};
};

TEST_F(SummaryTest, DifferencesArePairedAndAveragedOverSeeds) {
  std::vector<VariantRuns> runs(3);
  runs[0].runs = {run({0, 0.2, 0.4, 0.6}, 0.4, 0), run({0.1, 0.3, 0.5, 0.7}, 0.4, 0)};
  runs[1].runs = {run({0.2, 0.2, 0.4, 0.6}, 0.8, 0), run({0.1, 0.3, 0.5, 0.7}, 0.8, 0)};      // user u gains 0.1
  runs[2].runs = {run({0.1, 0.3, 0.5, 0.7}, 0.2, 0.5), run({0.2, 0.4, 0.6, 0.8}, 0.2, 0.5)};  // every user gains 0.1
  const auto summary = summarise(pool_, plan_, runs);
  EXPECT_EQ(summary.goal_metric, "recall@5");
  EXPECT_EQ(summary.k, 5);
  EXPECT_EQ(summary.users, 4u);
  const auto& a = summary.variants[0].metrics[1];
  EXPECT_EQ(a.seeds.size(), 2u);
  EXPECT_NEAR(a.mean, 0.35, 1e-12);
  EXPECT_NEAR(a.spread, 0.1 / std::sqrt(2.0), 1e-12);
  EXPECT_TRUE(std::isnan(a.difference)) << "the baseline has none";
  const auto& b = summary.variants[1].metrics[1];
  EXPECT_NEAR(b.difference, 0.025, 1e-12);
  EXPECT_NEAR(b.interval.low, 0, 1e-12) << "one user of four: a resample may miss it";
  EXPECT_GT(b.interval.high, 0.05);
  const auto& c = summary.variants[2].metrics[1];
  EXPECT_NEAR(c.difference, 0.1, 1e-12);
  EXPECT_NEAR(c.interval.low, 0.1, 1e-9) << "however far users lie apart";
  EXPECT_NEAR(c.interval.high, 0.1, 1e-9);
  EXPECT_EQ(summary.variants[2].metrics[0].difference, 0);

  EXPECT_NEAR(summary.variants[1].tail_recall, 0.8 * 3 / 4, 1e-12);
  ASSERT_EQ(summary.goals.size(), 3u);
  EXPECT_EQ(summary.goals[0].winner, "c");
  EXPECT_NE(summary.goals[0].words.find("recall@5: 0.4500 ±0.0707, +0.1000 [+0.1000, +0.1000] against 'a'"),
            std::string::npos)
      << summary.goals[0].words;
  EXPECT_NE(summary.goals[0].words.find("All others are told apart from it"), std::string::npos)
      << summary.goals[0].words;
  EXPECT_EQ(summary.goals[1].winner, "c") << "b is better in the tail but more than 5% below c overall";
  EXPECT_EQ(summary.goals[2].winner, "c");
}

TEST_F(SummaryTest, WithinTheToleranceTheTailDecides) {
  plan_.lab.tail_tolerance = 0.2;
  std::vector<VariantRuns> runs(3);
  runs[0].runs = {run({0.4, 0.4, 0.4, 0.4}, 0.4, 0), run({0.4, 0.4, 0.4, 0.4}, 0.4, 0)};
  runs[1].runs = {run({0.2, 0.5, 0.5, 0.5}, 0.8, 0), run({0.2, 0.5, 0.5, 0.5}, 0.8, 0)};
  runs[2].runs = {run({0, 0, 0.2, 0}, 0.9, 0), run({0, 0, 0.2, 0}, 0.9, 0)};
  const auto summary = summarise(pool_, plan_, runs);
  EXPECT_EQ(summary.goals[0].winner, "b");
  EXPECT_NE(summary.goals[0].words.find("Not told apart from it: 'a'."), std::string::npos) << summary.goals[0].words;
  EXPECT_EQ(summary.goals[1].winner, "b") << "c has more in the tail but less than 0.8 of the best";
  EXPECT_EQ(summary.goals[2].winner, "");
  EXPECT_EQ(summary.goals[2].words, "No variant finds any of them.");
}

TEST_F(LabTest, AResultIsReadBackAndTellsWhenItIsNotWhole) {
  RunResult result{.config = "a = 1\n",
                   .judged_by = "k",
                   .fingerprint = "f",
                   .epochs = 3,
                   .seconds = 1.5,
                   .validation = {{"recall@5", 0.1}},
                   .evaluation = "{\"users\":1}",
                   .run_log = "{\"step\":1,\"epoch\":1.0,\"seconds\":2.0,\"loss\":3.0,\"examples_per_second\":4.0}\n"};
  result.users = {{"u"}, {"recall@5"}, {{0.25}}};
  EXPECT_FALSE(read_result(path("x-1")));
  write_result(path("x-1"), result);
  const auto read = read_result(path("x-1"));
  ASSERT_TRUE(read);
  EXPECT_EQ(read->config, result.config);
  EXPECT_EQ(read->run_log, result.run_log);
  EXPECT_EQ(read->validation, result.validation);
  EXPECT_EQ(read->users.columns, result.users.columns);
  EXPECT_EQ(read->truth, "");
  std::filesystem::remove(path("x-1.users.parquet"));
  error_of(ErrorKind::failed, [&] { read_result(path("x-1")); });
  write_result(path("x-1"), result);
  file("x-1.json", "{\"config\": 3}");
  EXPECT_NE(error_of(ErrorKind::failed, [&] { read_result(path("x-1")); }).find("x-1.json"), std::string::npos);
  remove_result(path("x-1"));
  EXPECT_TRUE(std::filesystem::is_empty(folder_));
}

TEST(ChosenEpoch, IsTheFirstOfTheBestValue) {
  const std::string log =
      "{\"step\":1,\"epoch\":1,\"seconds\":0,\"loss\":1,\"examples_per_second\":1,\"validation\":{\"recall@5\":0.1}}\n"
      "{\"step\":2,\"epoch\":2,\"seconds\":0,\"loss\":1,\"examples_per_second\":1,\"validation\":{\"recall@5\":0.3}}\n"
      "{\"step\":3,\"epoch\":3,\"seconds\":0,\"loss\":1,\"examples_per_second\":1,\"validation\":{\"recall@5\":0.3}}\n"
      "{\"step\":4,\"epoch\":1,\"seconds\":0,\"loss\":1,\"examples_per_second\":1}\n";
  const auto best = chosen_epoch(log, "recall@5");
  EXPECT_EQ(best.epoch, 2);
  EXPECT_EQ(best.value, 0.3);
  EXPECT_TRUE(chosen_epoch(log, "ndcg@5").metrics.empty());
}

TEST(ResultConfig, LeavesOutWhatDoesNotChangeTheBits) {
  dataset::Options a, b;
  b.train.threads = 7;
  b.train.checkpoint_seconds = 1;
  b.evaluate.k = {3};
  EXPECT_EQ(result_config(a), result_config(b));
  b.train.seed = 9;
  EXPECT_NE(result_config(a), result_config(b));
}

TEST(ResultConfig, OfAnEarlierVersionHasItsNewKeysAtTheirDefaults) {
  dataset::Options options;
  auto earlier = result_config(options);
  const auto key = earlier.find("target_recency");
  ASSERT_NE(key, std::string::npos);
  const auto line = earlier.rfind('\n', key);
  earlier.erase(line, earlier.find('\n', key) - line);
  EXPECT_TRUE(is_config_of(earlier, options));
  EXPECT_TRUE(is_config_of(result_config(options), options));
  options.train.target_recency = 0.3;
  EXPECT_FALSE(is_config_of(earlier, options));
  EXPECT_FALSE(is_config_of("[train]\nno_such_key = 1\n", options));
}

}  // namespace
}  // namespace pagoda::lab
