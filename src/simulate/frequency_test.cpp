#include "simulate/frequency.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

#include "core/error.h"
#include "core/file.h"

namespace pagoda::simulate {
namespace {

std::string folder() { return ::testing::TempDir() + "pagoda_simulate_frequency"; }

double error_at(const std::vector<FrequencyError>& curve, bool as_printed, double a, int64_t hashes, int64_t step) {
  for (const auto& e : curve)
    if (e.as_printed == as_printed && e.learning_rate == a && e.hashes == hashes && e.step == step) return e.error;
  ADD_FAILURE() << "no such point";
  return 0;
}

TEST(SimulateFrequency, TheAlgorithmAsPrintedFollowsThePublishedCurve) {
  FrequencySimulation options;
  options.learning_rates = {0.1, 0.01};
  options.steps = 12000;
  options.every = 500;
  options.seeds = 2;
  ThreadPool pool(2);
  const auto curve = simulate_frequency(options, pool, folder());
  ASSERT_EQ(curve.size(), 2 * 2 * 24u);
  // An independent replication's figures; the hash draw alone moves them by .013 (less just after the switch).
  EXPECT_NEAR(error_at(curve, true, 0.1, 1, 2000), .164, .04);
  EXPECT_NEAR(error_at(curve, true, 0.1, 1, 10500), .254, .03);
  EXPECT_NEAR(error_at(curve, true, 0.01, 1, 1000), .317, .02);
  EXPECT_NEAR(error_at(curve, true, 0.01, 1, 10000), .122, .04);
  EXPECT_NEAR(error_at(curve, true, 0.01, 1, 10500), .549, .03);
  EXPECT_NEAR(error_at(curve, true, 0.01, 1, 12000), .222, .03);
  for (const int64_t step : {1000, 10500, 12000})
    EXPECT_LT(error_at(curve, false, 0.01, 1, step), 0.85 * error_at(curve, true, 0.01, 1, step)) << step;

  const auto text = read_file(folder() + "/frequency.jsonl");
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), static_cast<ptrdiff_t>(curve.size()));
  EXPECT_EQ(
      text.find(R"({"as_printed": true, "learning_rate": 0.1, "hashes": 1, "buckets": 5000, "step": 500, "error": 0.)"),
      0u);
}

TEST(SimulateFrequency, MoreHashesAreBetterUntilTheirBucketsRunOut) {
  FrequencySimulation options;
  options.learning_rates = {0.01};
  options.hashes = {1, 2, 4};
  options.steps = 3000;
  options.every = 3000;
  options.seeds = 2;
  ThreadPool pool(2);
  auto curve = simulate_frequency(options, pool, folder());
  const auto error = [&](int64_t m) { return error_at(curve, false, 0.01, m, 3000); };
  EXPECT_LT(error(2), 0.7 * error(1));
  EXPECT_LT(error(4), 0.9 * error(2));
  options.buckets = 2000;
  curve = simulate_frequency(options, pool, folder());
  EXPECT_GT(error(4), error(2));
}

TEST(SimulateFrequency, OneThreadAndTwoGiveTheSameFile) {
  FrequencySimulation options;
  options.items = 50;
  options.batch = 8;
  options.steps = 200;
  options.switch_step = 100;
  options.every = 50;
  options.seeds = 3;
  ThreadPool one(1), two(2);
  simulate_frequency(options, one, folder());
  const auto first = read_file(folder() + "/frequency.jsonl");
  simulate_frequency(options, two, folder());
  EXPECT_EQ(read_file(folder() + "/frequency.jsonl"), first);
}

TEST(SimulateFrequency, OptionsAreChecked) {
  ThreadPool pool(1);
  FrequencySimulation options;
  options.batch = 1000;
  EXPECT_THROW(simulate_frequency(options, pool, folder()), Error);
  options.batch = 10;
  options.hashes = {0};
  EXPECT_THROW(simulate_frequency(options, pool, folder()), Error);
  options.hashes = {1};
  options.learning_rates = {2};
  EXPECT_THROW(simulate_frequency(options, pool, folder()), Error);
}

}  // namespace
}  // namespace pagoda::simulate
