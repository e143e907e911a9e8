#include "tune/search.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "tune/sequence.h"

namespace pagoda::tune {
namespace {

Space clicks() {
  dataset::Options options;
  options.data.interactions = {"clicks.csv"};
  options.data.time = "ts";
  return Space(options, {.items = 900});
}

// What a trial is worth: best where every key is at its last level; longer training helps all alike.
double worth(const Space& space, const Point& point, size_t rung) {
  double sum = 0;
  for (size_t k = 0; k < point.size(); ++k)
    sum += static_cast<double>(point[k]) / static_cast<double>(space.keys()[k].levels.size() - 1);
  return sum / static_cast<double>(point.size()) + 0.01 * static_cast<double>(rung);
}

struct Ran {
  std::vector<Trial> trials;
  std::vector<std::pair<size_t, size_t>> jobs;  // trial, rung
};

Ran run(const Space& space, Search& search, size_t trials) {
  Ran ran;
  while (const auto job = search.next(search.trials().size() < trials)) {
    ran.jobs.emplace_back(job->trial, job->rung);
    search.report(*job, worth(space, search.trials()[job->trial].point, job->rung));
  }
  ran.trials = search.trials();
  return ran;
}

TEST(Rungs, triple_up_to_the_epochs_in_steps_of_the_evaluations) {
  EXPECT_EQ(rungs_of(20, 1), (std::vector<int64_t>{1, 3, 9, 20}));
  EXPECT_EQ(rungs_of(27, 1), (std::vector<int64_t>{1, 3, 9, 27}));
  EXPECT_EQ(rungs_of(10, 1), (std::vector<int64_t>{1, 3, 10}));  // 9 is shortly before the end
  EXPECT_EQ(rungs_of(20, 2), (std::vector<int64_t>{2, 4, 10, 20}));
  EXPECT_EQ(rungs_of(1, 1), (std::vector<int64_t>{1}));
  EXPECT_EQ(rungs_of(5, 10), (std::vector<int64_t>{5}));
}

TEST(Search, the_config_as_it_stands_comes_first_and_goes_all_the_way) {
  const auto space = clicks();
  Search search(space, 1, 3);
  const auto ran = run(space, search, 1);
  EXPECT_EQ(ran.jobs, (std::vector<std::pair<size_t, size_t>>{{0, 0}, {0, 1}, {0, 2}}));
  EXPECT_EQ(ran.trials[0].point, space.standing());
  EXPECT_EQ(ran.trials[0].origin, Origin::standing);
}

TEST(Search, at_most_a_third_of_a_rung_goes_on_and_it_is_the_best_third) {
  const auto space = clicks();
  Search search(space, 1, 4);
  std::map<size_t, size_t> reached;  // of a rung: its trials
  while (const auto job = search.next(search.trials().size() < 40)) {
    if (job->rung > 0 && job->trial != 0 && search.trials().size() < 40) {
      const auto below = search.trials()[job->trial].values[job->rung - 1];
      size_t better = 0;
      for (const auto& trial : search.trials())
        if (trial.values.size() >= job->rung && trial.values[job->rung - 1] > below) ++better;
      EXPECT_LT(better, reached[job->rung - 1] / kReduction);
    }
    ++reached[job->rung];
    search.report(*job, draw(7, job->trial, 0) + 0.01 * static_cast<double>(job->rung));
  }
  EXPECT_EQ(reached[0], 40u);
  EXPECT_LT(reached[1], 24u);  // a third, and those that were among the best third of fewer
  EXPECT_LT(reached[2], reached[1]);
  EXPECT_TRUE(search.is_complete(search.best()));
}

TEST(Search, no_config_is_tried_twice) {
  const auto space = clicks();
  Search search(space, 5, 2);
  const auto ran = run(space, search, 60);
  ASSERT_EQ(ran.trials.size(), 60u);
  for (size_t a = 0; a < 60; ++a)
    for (size_t b = a + 1; b < 60; ++b) EXPECT_NE(ran.trials[a].point, ran.trials[b].point);
}

TEST(Search, the_same_seed_takes_the_same_way_and_more_trials_only_go_on) {
  const auto space = clicks();
  Search a(space, 1, 3), b(space, 1, 3), longer(space, 1, 3), other(space, 2, 3);
  const auto ran = run(space, a, 30), again = run(space, b, 30), more = run(space, longer, 50);
  EXPECT_EQ(ran.jobs, again.jobs);
  const auto points = [](const Ran& of, size_t n) {
    std::vector<Point> points;
    for (size_t t = 0; t < n; ++t) points.push_back(of.trials[t].point);
    return points;
  };
  EXPECT_EQ(points(ran, 30), points(again, 30));
  EXPECT_EQ(points(ran, 30), points(more, 30));
  EXPECT_NE(points(ran, 30), points(run(space, other, 30), 30));
}

TEST(Search, behind_the_start_trials_are_near_the_best_and_better_for_it) {
  const auto space = clicks();
  Search search(space, 1, 1);
  const auto ran = run(space, search, 80);
  double spread = 0, near = 0;
  size_t spreads = 0, nears = 0;
  for (size_t t = 1; t < ran.trials.size(); ++t) {
    const auto& trial = ran.trials[t];
    if (t < search.start()) {
      EXPECT_EQ(trial.origin, Origin::spread);
    }
    (trial.origin == Origin::near ? near : spread) += trial.values[0];
    ++(trial.origin == Origin::near ? nears : spreads);
  }
  EXPECT_GT(nears, 40u);
  EXPECT_GT(near / static_cast<double>(nears), spread / static_cast<double>(spreads) + 0.1);
}

TEST(Search, when_time_is_short_only_the_leader_is_finished) {
  const auto space = clicks();
  Search search(space, 1, 3);
  EXPECT_FALSE(search.finish());  // nothing has begun
  run(space, search, 1);
  const auto begun = search.next(true);
  ASSERT_TRUE(begun);
  search.report(*begun, 100);
  ASSERT_TRUE(search.finish());
  EXPECT_EQ(search.finish()->trial, begun->trial);
  EXPECT_EQ(search.finish()->rung, 1u);
}

}  // namespace
}  // namespace pagoda::tune
