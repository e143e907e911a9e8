#include "report/report.h"

#include <gtest/gtest.h>

#include <cmath>

#include "core/error.h"
#include "report/markup_test.h"
#include "report/report_evaluation.h"

namespace pagoda::report {
namespace {

constexpr const char* kEvaluation = R"({"split": "test", "users": 29858, "items": 40981, "chosen_on": "validation",
  "metrics": {"recall@20": 0.1723, "recall@1000": 0.75, "ndcg@20": 0.1451, "hit_rate@20": 0.5, "mrr@20": 0.25},
  "by_item_popularity": [
    {"bucket": "top 1%", "items": 1, "test_positives": 30, "train_positives": 60, "recommended@20": 50,
     "recall@20": 0.5, "recall@1000": 0.9},
    {"bucket": "bottom 50%", "items": 3, "test_positives": 0, "train_positives": 20, "recommended@20": 150,
     "recall@20": 0, "recall@1000": 0}],
  "by_popularity_decile": [{"decile": "1", "items": 2, "test_positives": 9, "train_positives": 8, "recall@20": 0.625}],
  "by_item_age": [{"age": "under 7 d", "items": 2, "test_positives": 4, "train_positives": 1, "recall@20": 0.75}],
  "item_age_source": "released", "health": {"mean_cosine_items": 0.0625, "columns": 1536, "effective_negatives": 700.5,
  "accidental_hit_rate": 0.0025, "batch_recall@20": 0.5, "batch_recall@1000": 1, "catalogue_recall@20": 0.25},
  "zero_train_positives": {"items": 1, "test_positives": 2, "recall@20": 0.125, "recall@1000": 0.5},
  "by_user_activity": [{"shortest_history": 1, "longest_history": 8, "users": 7, "recall@20": 0.375}],
  "coverage@20": 0.625, "gini@20": 0.7, "average_popularity@20": 41.5, "long_tail_share@20": 0.1,
  "seconds": 3.5, "model": {"fingerprint": "f00d"}})";

constexpr const char* kRunLog =
    "{\"step\":100,\"epoch\":1.0,\"seconds\":30,\"loss\":5.0,\"examples_per_second\":9,\"validation\":{\"recall@20\":0."
    "11}}\n"
    "{\"step\":200,\"epoch\":2.0,\"seconds\":61,\"loss\":null,\"examples_per_second\":9,\"validation\":{\"recall@20\":"
    "0.17}}\n";

ReportModel full_model(const std::string& name) {
  ReportModel model{.name = name, .fingerprint = "f00d", .evaluation = kEvaluation, .run_log = kRunLog};
  model.config = "[loss]\ncorrection = \"standard\"\n";
  model.uses_order = false;
  model.frequency = {{0.1, 0.12}, {0.01, 0.01}};
  ReportExample example{.user = "u7", .history = {{"i1", "First"}}, .held_out = {{"i3", "Third"}}, .candidates = {}};
  example.candidates = {{{"i2", "Second", "drama"}, 0.9}, {{"i3", "Third"}, 0.8}};
  model.examples = {example};
  return model;
}

TEST(Report, EvaluationIsReadAsEvaluateWritesIt) {
  const Evaluated read = parse_evaluation(kEvaluation, "test");
  EXPECT_EQ(read.split, "test");
  EXPECT_EQ(read.chosen_on, "validation");
  EXPECT_EQ(read.users, 29858);
  EXPECT_EQ(read.metric("recall@1000"), 0.75);
  EXPECT_EQ(read.metric("coverage@20"), 0.625);
  EXPECT_TRUE(std::isnan(read.metric("recall@7")));
  ASSERT_EQ(read.buckets.size(), 2u);
  EXPECT_EQ(read.bucket_k, 20);
  EXPECT_EQ(read.buckets[0].recall, 0.5);
  EXPECT_EQ(read.buckets[0].recommended, 50);
  EXPECT_TRUE(std::isnan(read.buckets[1].recall)) << "nothing was tested there";
  ASSERT_TRUE(read.never_in_train);
  EXPECT_EQ(read.never_in_train->recall, 0.125);
  ASSERT_EQ(read.deciles.size(), 1u);
  EXPECT_EQ(read.deciles[0].name, "1");
  EXPECT_EQ(read.deciles[0].recall, 0.625);
  ASSERT_EQ(read.ages.size(), 1u);
  EXPECT_EQ(read.ages[0].name, "under 7 d");
  EXPECT_EQ(read.ages[0].recall, 0.75);
  EXPECT_EQ(read.age_source, "released");
  EXPECT_EQ(read.health[1], NamedValue("columns", 1536));
  ASSERT_EQ(read.by_activity.size(), 1u);
  EXPECT_EQ(read.by_activity[0].recall, 0.375);
}

TEST(Report, ItemsOfTheFrequencyChartAreSpreadByCountAndNotByRow) {
  // By row, the popular items stand together: a stride by row would show few of them, and not in order.
  const std::vector<uint64_t> counts{9, 0, 7, 7, 0, 1, 2, 3, 5, 100};
  EXPECT_EQ(spread_by_count(counts, 100), (std::vector<uint32_t>{5, 6, 7, 8, 2, 3, 0, 9})) << "all that have a count";
  EXPECT_EQ(spread_by_count(counts, 4), (std::vector<uint32_t>{5, 7, 2, 9}));
  EXPECT_EQ(spread_by_count(counts, 2), (std::vector<uint32_t>{5, 9}));
  EXPECT_EQ(spread_by_count(counts, 1).size(), 1u);
  EXPECT_TRUE(spread_by_count(std::vector<uint64_t>{0, 0}, 10).empty());
}

TEST(Report, MetricNamesReadAsWords) {
  EXPECT_EQ(metric_label("ndcg@20"), "NDCG@20");
  EXPECT_EQ(metric_label("map@20"), "MAP@20");
  EXPECT_EQ(metric_label("hit_rate@100"), "Hit rate@100");
  EXPECT_EQ(metric_label("a@b"), "A@b");
  EXPECT_EQ(split_metric("recall@20"), (std::pair<std::string, int>("recall", 20)));
  EXPECT_EQ(split_metric("recall@20x"), (std::pair<std::string, int>("recall@20x", 0)));
  EXPECT_EQ(split_metric("recall@"), (std::pair<std::string, int>("recall@", 0)));
}

TEST(Report, OneModelHasEverySection) {
  const std::string page = render_report({.data = {{"interactions", "1,027,370"}}, .models = {full_model("gowalla")}});
  for (const char* id : {"accuracy", "learning", "popularity", "frequency", "examples", "config"}) {
    EXPECT_EQ(count_of(page, std::string("<section id=\"") + id + "\">"), 1u) << id;
    EXPECT_EQ(count_of(page, std::string("href=\"#") + id + "\""), 1u) << id;
  }
  EXPECT_EQ(count_of(page, "<section"), count_of(page, "</section>"));
  EXPECT_EQ(count_of(page, "<div"), count_of(page, "</div>"));
  EXPECT_TRUE(has(page, "<h1>gowalla</h1>"));
  EXPECT_TRUE(has(page, "<dd>1,027,370</dd>"));
  EXPECT_TRUE(has(page, "<dd>validation</dd>"));
  EXPECT_TRUE(has(page, "<dd>not used</dd>"));
  EXPECT_TRUE(has(page, "<code>f00d</code>"));
  EXPECT_TRUE(has(page, "Trained in 1m 1s."));
  EXPECT_TRUE(has(page, "<tr><th>Recall</th><td>0.1723</td><td>0.7500</td></tr>"));
  EXPECT_TRUE(has(page, "Best recall@20 0.1700 after epoch 2."));
}

TEST(Report, OfTrainingsThatCompetedTheBetterOneIsCharted) {
  const auto point = [](int step, int epoch, double recall) {
    return fmt::format(
        "{{\"step\":{},\"epoch\":{}.0,\"seconds\":9,\"loss\":4.0,\"examples_per_second\":9,"
        "\"validation\":{{\"recall@20\":{}}}}}\n",
        step, epoch, recall);
  };
  auto model = full_model("gowalla");
  const auto points_with = [&](const std::string& run_log) {
    model.run_log = run_log;
    const auto page = render_report({.models = {model}});
    return std::pair(count_of(page, "<circle class=\"dot"), has(page, "Best recall@20 0.1900 after epoch 2."));
  };
  const auto better = point(300, 1, 0.12) + point(400, 2, 0.19), worse = point(500, 1, 0.14) + point(600, 2, 0.15);
  const auto alone = points_with(better);
  EXPECT_TRUE(alone.second);
  EXPECT_EQ(points_with(point(100, 1, 0.11) + point(200, 2, 0.17) + better), alone);
  EXPECT_EQ(points_with(better + worse), alone);
}

TEST(Report, ItFetchesNothingAndRunsNothing) {
  const std::string page = render_report({.models = {full_model("a"), full_model("b")}});
  EXPECT_GT(count_of(page, "http"), 0u);
  EXPECT_EQ(count_of(page, "http"), count_of(page, "xmlns=\"http://www.w3.org/2000/svg\""));
  for (const char* part : {"<script", "<link", "<img", "url(", "@import", " src="})
    EXPECT_FALSE(has(page, part)) << part;
}

TEST(Report, TextIsEscapedWhereverItComesFrom) {
  const std::string evil = "<evil a=\"1\" b='2'>&";
  ReportModel model = full_model(evil);
  model.fingerprint = model.config = evil;
  model.examples[0].user = evil;
  model.examples[0].history[0].title = evil;
  model.examples[0].held_out[0].detail = evil;
  model.examples[0].candidates[0].item = {evil, "", evil};
  model.evaluation.replace(model.evaluation.find("top 1%"), 6, "<evil> &");
  model.evaluation.replace(model.evaluation.find("mrr@20"), 6, "<evil>&");
  model.run_log.replace(model.run_log.find("recall"), 6, "<evil>&");
  ReportModel other = model;
  other.name = "other " + evil;
  const ReportInput input{.title = "", .introduction = evil, .data = {{evil, evil}}, .models = {model, other}};
  const std::string page = render_report(input);
  EXPECT_EQ(count_of(page, "<evil"), 0u);
  EXPECT_GT(count_of(page, "&lt;evil a=&quot;1&quot; b=&#39;2&#39;&gt;&amp;"), 10u);
}

TEST(Report, HitsAreMarkedAndCounted) {
  const std::string page = render_report({.models = {full_model("a")}});
  EXPECT_EQ(count_of(page, "<li class=\"hit\">"), 1u);
  EXPECT_TRUE(has(page, "<li class=\"hit\"><span class=\"rank\">2</span><span class=\"item\">Third</span>"));
  EXPECT_TRUE(has(page, "1 of 1 found"));
  EXPECT_TRUE(has(page, "Second<span class=\"detail\">drama</span>"));
  EXPECT_EQ(count_of(page, "<span class=\"found\">found</span>"), 1u);
}

TEST(Report, AnItemWithoutATitleShowsItsId) {
  ReportModel model = full_model("a");
  model.examples[0].history = {{"item-99"}};
  EXPECT_TRUE(has(render_report({.models = {model}}), "<span class=\"item\">item-99</span>"));
}

TEST(Report, SeveralModelsShareUsersAndAreCompared) {
  ReportModel plain = full_model("plain"), fixed = full_model("fixed");
  plain.config = "[loss]\ncorrection = \"none\"\n";
  plain.evaluation.replace(plain.evaluation.find("0.1723"), 6, "0.0800");
  const std::string page = render_report({.models = {plain, fixed}});
  EXPECT_EQ(count_of(page, "<h3>User u7</h3>"), 1u);
  EXPECT_EQ(count_of(page, "<ol>"), 2u);
  EXPECT_TRUE(has(page, "<tr><th>Recall@20</th><td>0.0800</td><td class=\"best\">0.1723</td><td>+115%</td></tr>"));
  EXPECT_EQ(count_of(page, "<mark>"), 1u);
  EXPECT_TRUE(has(page, "<mark>correction = &quot;standard&quot;</mark>"));
}

TEST(Report, FiguresOfOtherTestRowsAreNotCompared) {
  const auto of_rows = [](const std::string& name, const std::string& rows, const std::string& repeats = "miss") {
    auto model = full_model(name);
    const std::string said = "\"test_rows\": \"" + rows + "\", \"repeats\": \"" + repeats + "\", ";
    model.evaluation.insert(1, said);
    return model;
  };
  ReportModel a = of_rows("a", "aaaa"), b = of_rows("b", "bbbb");
  b.evaluation.replace(b.evaluation.find("0.1723"), 6, "0.0800");
  std::string page = render_report({.models = {a, b}});
  EXPECT_TRUE(has(page, "their figures cannot be compared. test rows, by their fingerprint: aaaa (a) and bbbb (b)."));
  EXPECT_TRUE(has(page, "<tr><th>Recall@20</th><td>0.1723</td><td>0.0800</td></tr>"));
  EXPECT_FALSE(has(page, "change</th>") || has(page, "-54%") || has(page, "class=\"best\""));
  EXPECT_TRUE(comparison_warning({.models = {a, of_rows("c", "aaaa", "keep")}}).find("what a user had before") !=
              std::string::npos);
  auto fewer = of_rows("d", "aaaa");
  fewer.evaluation.replace(fewer.evaluation.find("40981"), 5, "81");
  EXPECT_TRUE(comparison_warning({.models = {a, fewer}}).find("catalogue: 40981 (a) and 81 (d)") != std::string::npos);
  EXPECT_EQ(comparison_warning({.models = {a, of_rows("e", "aaaa")}}), "");
  EXPECT_EQ(comparison_warning({.models = {a}}), "");
  // Of version 0.1, which did not say on what rows it evaluated.
  page = render_report({.models = {a, full_model("old")}});
  EXPECT_TRUE(has(page, "It is not known whether these models were evaluated on the same rows: the figures of old do"));
  EXPECT_TRUE(has(page, "change</th>"));
}

TEST(Report, TheModelStandsBesideItsBaselines) {
  auto model = full_model("a");
  model.evaluation.insert(1, R"("intervals": {"recall@20": {"low": 0.16, "high": 0.19}},
    "baselines": [{"name": "popularity", "about": "of <5> rows", "metrics": {"recall@20": 0.18},
                   "intervals": {"recall@20": {"low": 0.17, "high": 0.1875}},
                   "difference": {"recall@20": {"mean": -0.0077, "low": -0.02, "high": 0.01}}},
                  {"name": "item_knn", "about": "", "metrics": {"recall@20": 0.1},
                   "difference": {"recall@20": {"mean": 0.0723, "low": 0.01, "high": 0.1}}}],)");
  std::string page = render_report({.models = {model}});
  EXPECT_TRUE(has(page, "<td>0.1723 <span class=\"quiet\">0.1600 to 0.1900</span></td>"));
  EXPECT_TRUE(has(page, "<tr><th>popularity <span class=\"quiet\">of &lt;5&gt; rows</span></th><td>0.1800 "));
  EXPECT_TRUE(has(page, "<th>item-kNN "));
  EXPECT_TRUE(has(page, "By Recall@20 the model is not clearly better than popularity: the interval"));
  model.evaluation.replace(model.evaluation.find("-0.02,"), 6, "0.001,");
  EXPECT_FALSE(has(render_report({.models = {model}}), "not clearly better"));
  EXPECT_FALSE(has(render_report({.models = {full_model("a")}}), "needs no training"));
}

TEST(Report, WhatIsRecommendedIsShownAsShares) {
  const std::string page = render_report({.models = {full_model("a")}});
  EXPECT_TRUE(has(page,
                  "catalogue: top 1% 25.0%, bottom 50% 75.0%. clicks in train: top 1% 75.0%, bottom 50% 25.0%. "
                  "recommended: top 1% 25.0%, bottom 50% 75.0%."));
}

TEST(Report, TenthsAgesAndHealthAreShown) {
  const std::string page = render_report({.models = {full_model("a")}});
  EXPECT_TRUE(has(page, "Recall@20 by tenths of the training rows"));
  EXPECT_TRUE(has(page, "by the column &#39;released&#39;."));
  EXPECT_TRUE(has(page,
                  "<th>Mean cosine of two items <span class=\"quiet\">near 1: the vectors have collapsed into one "
                  "direction</span></th><td>0.0625</td>"));
  EXPECT_TRUE(has(page, "masked</span></th><td>0.25%</td>"));
  EXPECT_TRUE(has(page, "<th>Batch recall@20 <span"));
  EXPECT_TRUE(has(page, "whole catalogue</span></th><td>0.2500</td>"));
  EXPECT_FALSE(has(page, "Batch recall@1000"));
  EXPECT_FALSE(has(page, "Mean cosine of two users")) << "it is not in the evaluation";
}

TEST(Report, WhatWasNotMeasuredIsLeftOut) {
  const std::string page = render_report({.models = {{.name = "bare"}}});
  EXPECT_EQ(count_of(page, "<section"), 0u);
  EXPECT_TRUE(has(page, "<h1>bare</h1>"));
  const std::string only_metrics =
      render_report({.models = {{.name = "x", .evaluation = R"({"metrics":{"recall@20":0.5}})"}}});
  EXPECT_EQ(count_of(only_metrics, "<section"), 1u);
  EXPECT_FALSE(has(only_metrics, "nan"));
}

TEST(Report, AnEvaluationThatIsNoneIsNamed) {
  try {
    render_report({.models = {{.name = "m", .evaluation = "[1]"}}});
    FAIL() << "no error";
  } catch (const Error& e) {
    EXPECT_EQ(std::string(e.what()), "m: evaluation: is not an evaluation: expected a JSON object");
  }
}

}  // namespace
}  // namespace pagoda::report
