#include "tune/output.h"

#include <gtest/gtest.h>

#include <cmath>

namespace pagoda::tune {
namespace {

Outcome outcome(size_t winner, double mean, math::Interval interval) {
  dataset::Options options;
  options.data.interactions = {"clicks.csv"};
  const Space space(options, {.items = 900});
  return {.space = space,
          .metric = "recall@20",
          .users = 250,
          .rungs = {1, 3},
          .seed = 1,
          .fresh_seeds = {2, 3},
          .trials = {{.point = space.standing()}, {.point = space.standing()}},
          .stretches = {},
          .finalists = {{.trial = 0, .mean = 0.1}, {.trial = 1, .mean = mean}},
          .winner = winner,
          .difference = winner == 0 ? 0 : mean - 0.1,
          .interval = interval};
}

std::string said(const Outcome& out) {
  std::string text;
  for (const auto& line : verdict(out)) text += line + " ";
  return text;
}

TEST(Verdict, says_that_it_is_sure_only_where_the_interval_leaves_0_out) {
  const auto sure = said(outcome(1, 0.12, {0.001, 0.04})), unsure = said(outcome(1, 0.12, {-0.001, 0.04}));
  EXPECT_NE(sure.find("0.1000 as it stands, 0.1200 with the best of 2 trials"), std::string::npos) << sure;
  EXPECT_NE(sure.find("+0.0200 (+20.0%); its 95% interval over users +0.0010 to +0.0400"), std::string::npos) << sure;
  EXPECT_EQ(sure.find("not significantly better"), std::string::npos) << sure;
  EXPECT_NE(unsure.find("not significantly better"), std::string::npos) << unsure;
}

TEST(Verdict, says_that_nothing_is_better_or_that_it_cannot_be_said) {
  EXPECT_NE(said(outcome(0, 0.09, {})).find("None of 2 trials is better"), std::string::npos);
  const auto lost = said(outcome(1, 0.12, {std::nan(""), std::nan("")}));
  EXPECT_NE(lost.find("how sure it is cannot be said"), std::string::npos);
  EXPECT_EQ(lost.find("nan"), std::string::npos);
}

}  // namespace
}  // namespace pagoda::tune
