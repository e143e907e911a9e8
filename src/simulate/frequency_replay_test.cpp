#include "simulate/frequency_replay.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>

#include "core/error.h"
#include "core/file.h"
#include "core/rng.h"
#include "simulate/weighted_draw.h"

namespace pagoda::simulate {
namespace {

std::string folder() { return ::testing::TempDir() + "pagoda_frequency_replay"; }

data::Interactions log_of(const std::vector<uint32_t>& items) {
  data::Interactions log;
  log.users.add("u");
  const uint32_t n = *std::ranges::max_element(items) + 1;
  for (uint32_t item = 0; item < n; ++item) log.items.add(fmt::format("i{}", item));
  log.item = items;
  log.user.assign(items.size(), 0);
  return log;
}

// `rows` draws of n items with share ~ 1 / (rank + 1); the ranks turn round after `turn` rows.
data::Interactions zipf_log(size_t n, size_t rows, size_t turn) {
  std::vector<double> shares;
  for (size_t i = 0; i < n; ++i) shares.push_back(1.0 / static_cast<double>(i + 1));
  const WeightedDraw draw(shares);
  Rng rng(7, Stream::test);
  std::vector<uint32_t> items;
  for (size_t row = 0; row < rows; ++row) {
    const uint32_t rank = draw.draw(rng);
    items.push_back(row < turn ? rank : static_cast<uint32_t>(n) - 1 - rank);
  }
  return log_of(items);
}

ReplayError at(const std::vector<ReplayError>& errors, bool streaming, int64_t row, ReplayGroup group, int decile) {
  for (const auto& e : errors)
    if (e.estimator == (streaming ? ReplayEstimator::streaming : ReplayEstimator::counts) && e.row == row &&
        e.group == group && e.decile == decile)
      return e;
  ADD_FAILURE() << "no such error: row " << row << ", " << name_of(group) << " " << decile;
  return {};
}

FrequencyReplay options(double a, int64_t window) {
  FrequencyReplay o;
  o.learning_rates = {a};
  o.hashes = {2};
  o.buckets = 1 << 16;
  o.batch = 10;
  o.window = window;
  return o;
}

TEST(FrequencyReplay, CountsTheWindowTheDecilesAndTheSharesExactly) {
  // Rows 0-9: ten times item 0. Rows 10-29: item 1 ten times, items 2 to 11 once each.
  std::vector<uint32_t> items(10, 0);
  for (uint32_t k = 0; k < 10; ++k) items.insert(items.end(), {1, k + 2});
  ThreadPool pool(1);
  auto o = options(0.1, 20);
  o.every = 10;
  const auto errors = replay_frequency(log_of(items), o, pool, folder());

  auto e = at(errors, false, 30, ReplayGroup::items, 1);  // eleven items: one a decile, two in one
  EXPECT_EQ(e.items, 1);
  EXPECT_DOUBLE_EQ(e.share, 0.5);
  EXPECT_DOUBLE_EQ(e.estimated, 10.0 / 30);
  EXPECT_DOUBLE_EQ(e.mean_error, 10.0 / 30 / 0.5 - 1);
  EXPECT_DOUBLE_EQ(e.mean_log_error, std::log(10.0 / 30 / 0.5));
  EXPECT_DOUBLE_EQ(e.median_absolute, 1 - 10.0 / 30 / 0.5);
  e = at(errors, false, 30, ReplayGroup::rows, 3);  // item 1 lies on rows deciles 1 to 5; its middle in the third
  EXPECT_EQ(e.items, 1);
  EXPECT_DOUBLE_EQ(e.share, 0.5);
  for (const auto& x : errors)
    EXPECT_FALSE(x.row == 30 && x.group == ReplayGroup::rows && (x.decile < 3 || x.decile == 4));
  e = at(errors, false, 30, ReplayGroup::rows, 6);
  EXPECT_EQ(e.items, 2);
  EXPECT_DOUBLE_EQ(e.share, 0.1);
  e = at(errors, false, 30, ReplayGroup::fresh, 0);
  EXPECT_EQ(e.items, 11);
  EXPECT_DOUBLE_EQ(e.share, 1);
  EXPECT_DOUBLE_EQ(e.estimated, 20.0 / 30);
  e = at(errors, false, 30, ReplayGroup::gone, 0);
  EXPECT_EQ(e.items, 1);
  EXPECT_EQ(e.share, 0);
  EXPECT_DOUBLE_EQ(e.estimated, 10.0 / 30);
  EXPECT_TRUE(std::isnan(e.mean_error) && std::isnan(e.median_absolute));

  // At row 20 the window holds everything: nothing is gone, all is fresh, and plain counts are exact.
  for (const auto& x : errors)
    if (x.row == 20) {
      EXPECT_NE(x.group, ReplayGroup::gone);
      if (x.estimator == ReplayEstimator::counts) {
        EXPECT_NEAR(x.mean_error, 0, 1e-12);
        EXPECT_NEAR(x.median_absolute, 0, 1e-12);
      }
    }

  const auto text = read_file(folder() + "/replay.jsonl");
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), static_cast<ptrdiff_t>(errors.size()));
  EXPECT_NE(text.find(R"("group": "gone", "decile": 0, "cohort": null, "items": 1, "share": 0, "estimated": 0.33333)"),
            std::string::npos);
  EXPECT_NE(text.find(R"("mean_error": null, "mean_log_error": null, "median_absolute": null, "median_ratio": null})"),
            std::string::npos);
}

TEST(FrequencyReplay, OnAStationaryLogTheErrorOfHotItemsIsThatOfTheirGaps) {
  ThreadPool pool(2);
  const auto errors = replay_frequency(zipf_log(1000, 200000, 200000), options(0.005, 50000), pool, folder());
  // a = 0.005: a standard deviation of sqrt(a / (2 - a)) = 5%, thus a median of 3.4%; and the window's own noise.
  const auto hot = at(errors, true, 200000, ReplayGroup::items, 1);
  EXPECT_LT(hot.median_absolute, 0.06);
  EXPECT_NEAR(hot.mean_error, 0, 0.02);
  EXPECT_NEAR(hot.estimated / hot.share, 1, 0.03);
  // The window itself has some eight rows of each of these, and a share is less sure.
  EXPECT_GT(at(errors, true, 200000, ReplayGroup::items, 9).median_absolute, 2 * hot.median_absolute);
  EXPECT_LT(at(errors, false, 200000, ReplayGroup::items, 1).median_absolute, 0.06);
}

TEST(FrequencyReplay, WhenThePopularityTurnsOverTheEstimateFollowsAndPlainCountsDoNot) {
  ThreadPool pool(2);
  const auto log = zipf_log(1000, 400000, 200000);
  const auto errors = replay_frequency(log, options(0.02, 50000), pool, folder());
  for (const int64_t row : {200000, 400000}) {
    const auto hot = at(errors, true, row, ReplayGroup::items, 1);
    EXPECT_LT(hot.median_absolute, 0.12) << row;
    EXPECT_NEAR(hot.mean_error, 0, 0.04) << row;
  }
  // The hottest tenth was the rarest until the turn: half of the rows are the new ones'.
  const auto counted = at(errors, false, 400000, ReplayGroup::items, 1);
  EXPECT_NEAR(counted.mean_log_error, std::log(0.5), 0.1);
}

TEST(FrequencyReplay, RowsGoByInOrderOfTimeWhateverTheFilesOrder) {
  auto log = zipf_log(100, 5000, 2500);
  for (size_t row = 0; row < log.size(); ++row) log.time_us.push_back(static_cast<int64_t>(row));
  ThreadPool one(1), two(2);
  replay_frequency(log, options(0.1, 1000), one, folder());
  const auto ordered = read_file(folder() + "/replay.jsonl");
  std::ranges::reverse(log.item);
  std::ranges::reverse(log.time_us);
  replay_frequency(log, options(0.1, 1000), two, folder());
  EXPECT_EQ(read_file(folder() + "/replay.jsonl"), ordered);
  log.time_us.clear();
  replay_frequency(log, options(0.1, 1000), two, folder());
  EXPECT_NE(read_file(folder() + "/replay.jsonl"), ordered);
}

TEST(FrequencyReplay, ASketchOfEqualMemoryStandsBesideTheEstimator) {
  ThreadPool pool(2);
  auto o = options(0.02, 50000);
  o.half_lives = {20000};
  o.hashes = {4};
  o.buckets = 1000;
  int64_t cells = 0;
  for (const auto& e : replay_frequency(zipf_log(1000, 400000, 200000), o, pool, folder())) {
    if (e.estimator != ReplayEstimator::count_min) continue;
    EXPECT_EQ(e.half_life, 20000);
    EXPECT_EQ(e.learning_rate, 0);
    cells = e.hashes * e.buckets;
    // In half-lives of 20,000 rows nothing is left of what was before the turn at row 200,000.
    if (e.row == 400000 && e.group == ReplayGroup::items && e.decile == 1) {
      EXPECT_LT(e.median_absolute, 0.1);
    }
  }
  EXPECT_EQ(cells, 4000);
}

TEST(FrequencyReplay, AsPrintedARareItemStaysNearTheStart) {
  // A gap weighs 1%: after the five gaps of a rare item B is still 95% of where it began, one draw in 500.
  ThreadPool pool(1);
  double printed = 0, streaming = 0;
  for (const auto& e : replay_frequency(zipf_log(500, 20000, 20000), options(0.01, 5000), pool, folder())) {
    if (e.row != 20000 || e.group != ReplayGroup::items || e.decile != 10) continue;
    if (e.estimator == ReplayEstimator::printed) printed = e.mean_error;
    if (e.estimator == ReplayEstimator::streaming) streaming = e.mean_error;
  }
  EXPECT_GT(printed, 2 * std::abs(streaming) + 1);
}

TEST(FrequencyReplay, ACohortIsComparedWithTheRowsThatFollow) {
  // Rows 0-99: item 0. From row 100 on items 1 and 2 of one cohort, three rows of item 1 for each of item 2.
  std::vector<uint32_t> items(100, 0);
  for (uint32_t k = 0; k < 100; ++k) items.push_back(k % 4 == 3 ? 2 : 1);
  ReplayCohorts cohorts{.names = {"old", "new"}, .of_item = {ReplayCohorts::kNone, 1, 1}};
  ThreadPool pool(1);
  auto o = options(0.1, 40);
  o.every = 20;
  std::vector<int64_t> rows;
  for (const auto& e : replay_frequency(log_of(items), o, pool, folder(), &cohorts)) {
    EXPECT_EQ(e.group, ReplayGroup::cohort);
    EXPECT_EQ(e.cohort, 1u);
    if (e.estimator != ReplayEstimator::counts) continue;
    rows.push_back(e.row);
    if (e.row == 80) {
      EXPECT_DOUBLE_EQ(e.share, 0.5);
    }
    if (e.row == 140) {
      EXPECT_DOUBLE_EQ(e.share, 1);
      EXPECT_DOUBLE_EQ(e.estimated, 40.0 / 140);
      EXPECT_DOUBLE_EQ(e.median_ratio, 40.0 / 140);  // of both items: 30 / 140 / 0.75, 10 / 140 / 0.25
    }
  }
  EXPECT_EQ(rows, (std::vector<int64_t>{80, 100, 120, 140, 160}));  // before row 61 the next 40 hold none of it
  EXPECT_NE(
      read_file(folder() + "/replay.jsonl").find(R"("group": "cohort", "decile": 0, "cohort": "new", "items": 2)"),
      std::string::npos);
}

TEST(FrequencyReplay, ACheckpointFallsAtTheEndOfABatch) {
  ThreadPool pool(1);
  auto o = options(0.1, 250);
  o.batch = 100;
  o.every = 350;
  std::vector<int64_t> rows;
  for (const auto& e : replay_frequency(zipf_log(50, 970, 970), o, pool, folder()))
    if (rows.empty() || rows.back() != e.row) rows.push_back(e.row);
  EXPECT_EQ(rows, (std::vector<int64_t>{300, 600, 970}));  // due at 250, 600, 950
}

TEST(FrequencyReplay, OptionsAreChecked) {
  ThreadPool pool(1);
  const auto log = zipf_log(10, 100, 100);
  const auto refused = [&](const FrequencyReplay& o) {
    try {
      replay_frequency(log, o, pool, folder());
    } catch (const Error& e) {
      return e.kind() == ErrorKind::usage;
    }
    return false;
  };
  EXPECT_TRUE(refused(options(0.1, 101)));
  EXPECT_FALSE(refused(options(0.1, 100)));
  EXPECT_TRUE(refused(options(0.1, 0)));
  EXPECT_TRUE(refused(options(2, 100)));
  auto o = options(0.1, 100);
  o.hashes = {0};
  EXPECT_TRUE(refused(o));
}

}  // namespace
}  // namespace pagoda::simulate
