#include "report/chart.h"

#include <gtest/gtest.h>

#include <limits>

#include "report/markup_test.h"

namespace pagoda::report {
namespace {

LineChart two_lines() {
  return {.title = "Recall",
          .description = "By k.",
          .x = {.label = "k", .log = true, .ticks = {20, 1000}},
          .y = {.label = "recall", .from_zero = true},
          .series = {{"plain", {{20, 0.1}, {1000, 0.4}}, 0}, {"fixed", {{20, 0.2}, {1000, 0.8}}, 1}}};
}

TEST(Chart, MarkupIsEscaped) {
  EXPECT_EQ(escape_markup("a<b & \"c\" > 'd'"), "a&lt;b &amp; &quot;c&quot; &gt; &#39;d&#39;");
  EXPECT_EQ(escape_markup("naïve 东京 🎈\n\t"), "naïve 东京 🎈\n\t");
}

TEST(Chart, WhatXmlDoesNotAllowBecomesTheReplacementCharacter) {
  EXPECT_EQ(escape_markup(std::string("a\0b\x1b", 4)), "a\uFFFDb\uFFFD");
  EXPECT_EQ(escape_markup("\xff"
                          "x"),
            "\uFFFDx");
  EXPECT_EQ(escape_markup("\xe4\xb8"), "\uFFFD\uFFFD");            // cut short
  EXPECT_EQ(escape_markup("\xc0\xaf"), "\uFFFD\uFFFD");            // an overlong '/'
  EXPECT_EQ(escape_markup("\xed\xa0\x80"), "\uFFFD\uFFFD\uFFFD");  // half a surrogate pair
}

TEST(Chart, ALineChartSaysInWordsWhatItShows) {
  const std::string chart = svg(two_lines());
  EXPECT_TRUE(has(chart, "<title>Recall</title>"));
  EXPECT_TRUE(
      has(chart, "<desc>By k. plain: 0.1000 at 20, 0.4000 at 1,000. fixed: 0.2000 at 20, 0.8000 at 1,000.</desc>"));
  EXPECT_TRUE(has(chart, "role=\"img\""));
}

TEST(Chart, ALineChartHasALineALegendAndAHoverBoxForEachX) {
  const std::string chart = svg(two_lines());
  EXPECT_EQ(count_of(chart, "<path class=\"line "), 2u);
  EXPECT_EQ(count_of(chart, "<rect class=\"key s1\" x"), 1u + 2u);  // legend, and two boxes
  EXPECT_EQ(count_of(chart, "<g class=\"hover\">"), 2u);
  EXPECT_TRUE(has(chart, ">k 1,000</text>"));
}

TEST(Chart, OneSeriesNeedsNoLegend) {
  LineChart chart = two_lines();
  chart.series.resize(1);
  EXPECT_EQ(count_of(svg(chart), "<rect class=\"key "), 2u);  // the boxes'
}

TEST(Chart, HigherValuesLieHigherUp) {
  LineChart chart = two_lines();
  chart.series = {{"a", {{20, 0}, {1000, 1}}, 0}};
  const std::string drawn = svg(chart);
  const size_t path = drawn.find("<path class=\"line s0\" d=\"M") + 26;
  double x1, y1, x2, y2;
  ASSERT_EQ(std::sscanf(drawn.c_str() + path, "%lf %lfL%lf %lf", &x1, &y1, &x2, &y2), 4) << drawn.substr(path, 40);
  EXPECT_LT(x1, x2);
  EXPECT_GT(y1, y2);
}

TEST(Chart, ValuesThatCannotBeDrawnAreLeftOut) {
  LineChart chart = two_lines();
  const double nan = std::numeric_limits<double>::quiet_NaN(), inf = std::numeric_limits<double>::infinity();
  chart.series = {{"a", {{0, 0.5}, {-1, 0.5}, {20, nan}, {20, inf}, {nan, 1}}, 0}};  // x is a log axis
  const std::string drawn = svg(chart);
  EXPECT_TRUE(has(drawn, "nothing measured"));
  EXPECT_FALSE(has(drawn, "nan"));
  EXPECT_FALSE(has(drawn, "inf"));
}

TEST(Chart, ALongLineIsDrawnAsAHundredMeans) {
  LineChart chart = two_lines();
  chart.x = {.label = "step"};
  chart.series = {{"loss", {}, 0}};
  for (int i = 0; i < 1000; ++i) chart.series[0].points.push_back({static_cast<double>(i), i % 2 ? 2.0 : 4.0});
  const std::string drawn = svg(chart);
  EXPECT_EQ(count_of(drawn, "<g class=\"hover\">"), 100u);
  EXPECT_TRUE(has(drawn, "loss: 3 at 4.500, 3 at 994.5."));
}

TEST(Chart, ABarChartHasABarForEachFiniteValue) {
  const BarChart chart{
      .title = "b",
      .description = "",
      .groups = {"hot", "cold"},
      .notes = {"9 tests", ""},
      .y = {.label = "share", .percent = true},
      .series = {{"one", {0.5, std::numeric_limits<double>::quiet_NaN()}, kNeutral}, {"two", {0.25, 0}, 3}}};
  const std::string drawn = svg(chart);
  EXPECT_EQ(count_of(drawn, "<path class=\"bar neutral\""), 1u);
  EXPECT_EQ(count_of(drawn, "<path class=\"bar s3\""), 2u);
  EXPECT_TRUE(has(drawn, ">9 tests</text>"));
  EXPECT_TRUE(has(drawn, "<desc>one: hot 50.0%. two: hot 25.0%, cold 0.0%.</desc>"));
}

TEST(Chart, AScatterChartIsThinnedToTwoThousandPoints) {
  ScatterChart chart{.title = "s",
                     .description = "",
                     .x = {.label = "exact", .log = true},
                     .y = {.label = "estimated", .log = true},
                     .diagonal = true,
                     .series = {{"f", {}, 0}}};
  for (int i = 1; i <= 5000; ++i) chart.series[0].points.push_back({i * 1e-6, i * 1e-6});
  const std::string drawn = svg(chart);
  EXPECT_EQ(count_of(drawn, "<circle "), 1667u);  // every third
  EXPECT_EQ(count_of(drawn, "class=\"diagonal\""), 1u);
}

TEST(Chart, NamesAreEscapedEverywhere) {
  LineChart chart = two_lines();
  chart.title = chart.description = chart.x.label = chart.y.label = "<b>";
  for (auto& series : chart.series) series.name = "<i>&";
  const std::string drawn = svg(chart);
  EXPECT_FALSE(has(drawn, "<b>"));
  EXPECT_FALSE(has(drawn, "<i>"));
  EXPECT_TRUE(has(drawn, "&lt;i&gt;&amp;"));
}

TEST(Chart, LabelledPointsOfAScatterChartAreNamedAndJoined) {
  ScatterChart chart{
      .title = "t",
      .description = "",
      .x = {.label = "x"},
      .y = {.label = "y"},
      .series = {{"dial", {{1, 2}, {2, 3}, {3, 1}}, 1, {"0", "<half>", "1"}, true}, {"plain", {{2, 2}}, 0, {""}}}};
  const std::string drawn = svg(chart);
  EXPECT_EQ(count_of(drawn, "<circle class=\"dot s1\""), 3u);
  EXPECT_EQ(count_of(drawn, "<circle class=\"dot s0\""), 1u);
  EXPECT_EQ(count_of(drawn, "<path class=\"line s1\""), 1u);
  EXPECT_EQ(count_of(drawn, "<path class=\"line s0\""), 0u);
  EXPECT_TRUE(has(drawn, ">&lt;half&gt;</text>"));
  EXPECT_TRUE(has(drawn, "<title>plain: 2, 2</title>")) << drawn;
}

}  // namespace
}  // namespace pagoda::report
