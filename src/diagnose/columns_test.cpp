#include "diagnose/columns.h"

#include <gtest/gtest.h>

#include <numeric>
#include <set>

#include "core/rng.h"

namespace pagoda::diagnose {
namespace {

// One entry a row: item 0 as often as counts[0] says, and so on.
std::vector<uint32_t> rows_of(const std::vector<uint64_t>& counts) {
  std::vector<uint32_t> rows;
  for (uint32_t item = 0; item < counts.size(); ++item) rows.insert(rows.end(), counts[item], item);
  return rows;
}

TEST(LogAbsence, IsTheHypergeometricChanceOfNone) {
  EXPECT_NEAR(std::exp(log_absence(5, 2, 2)), 0.3, 1e-15);      // C(3,2) / C(5,2)
  EXPECT_NEAR(std::exp(log_absence(10, 3, 4)), 1. / 6, 1e-15);  // C(7,4) / C(10,4) = 35 / 210
  EXPECT_EQ(log_absence(10, 4, 3), log_absence(10, 3, 4));
  EXPECT_EQ(log_absence(7, 0, 5), 0);
  EXPECT_EQ(log_absence(7, 5, 0), 0);
  EXPECT_EQ(std::exp(log_absence(4, 1, 4)), 0);
}

TEST(Columns, ExpectedDifferentItemsOfABatchByHand) {
  const Popularity p(std::vector<uint64_t>{2, 1, 1});
  EXPECT_NEAR(items_in_batch(p, {4, 2}), 5. / 6 + 1. / 2 + 1. / 2, 1e-15);
  EXPECT_NEAR(items_in_batch(p, {4, 4}), 3, 1e-15);
}

TEST(Columns, AnItemIsAbsentFromAnEpochWhenNeverClickedOrAmongTheRowsLeftOver) {
  EXPECT_NEAR(items_absent_from_epoch(Popularity(std::vector<uint64_t>{2, 2, 1}), {5, 2}), 0.2, 1e-15);
  EXPECT_NEAR(items_absent_from_epoch(Popularity(std::vector<uint64_t>{2, 2, 1, 0}), {5, 2}), 1.2, 1e-15);
  EXPECT_NEAR(items_absent_from_epoch(Popularity(std::vector<uint64_t>{2, 2, 1, 0}), {5, 1}), 1, 1e-15);
}

TEST(Columns, ChanceBesideARowByHand) {
  EXPECT_NEAR(chance_beside_row(1, {4, 2}), 1. / 3, 1e-15);
  EXPECT_NEAR(chance_beside_row(1, {4, 2}, 1, 2), 2. / 3, 1e-15);  // 1 - 2/3 1/2
  EXPECT_EQ(chance_beside_row(0, {4, 2}), 0);
  EXPECT_EQ(chance_beside_row(3, {4, 1}), 0);  // a batch of one row has no other columns
  EXPECT_EQ(chance_beside_row(3, {4, 4}), 1);
}

// All 7! orders of a log of 7 rows in batches of 3: the expectations are exact, not nearly so.
TEST(Columns, AgreeWithEveryOrderOfASmallLog) {
  const std::vector<uint64_t> counts{3, 2, 1, 1, 0};
  const auto item_of = rows_of(counts);
  const BatchShape shape{7, 3};
  std::vector<uint32_t> order(7);
  std::iota(order.begin(), order.end(), 0u);
  double orders = 0, different = 0, absent = 0, beside = 0, met = 0;
  do {
    std::set<uint32_t> epoch;
    for (size_t step = 0; step < shape.steps(); ++step) {
      std::set<uint32_t> batch;
      for (size_t at = step * 3; at < step * 3 + 3; ++at) batch.insert(item_of[order[at]]);
      different += static_cast<double>(batch.size()) / static_cast<double>(shape.steps());
      epoch.insert(batch.begin(), batch.end());
      const auto first = order.begin() + static_cast<ptrdiff_t>(step * 3), last = first + 3;
      if (std::find(first, last, 6u) == last) continue;  // the batch of row 6, the only click on item 3
      ++met;
      beside += batch.count(1) > 0;
    }
    absent += static_cast<double>(counts.size() - epoch.size());
    ++orders;
  } while (std::next_permutation(order.begin(), order.end()));
  const Popularity p(counts);
  EXPECT_NEAR(items_in_batch(p, shape), different / orders, 1e-12);
  EXPECT_NEAR(items_absent_from_epoch(p, shape), absent / orders, 1e-12);
  EXPECT_NEAR(chance_beside_row(2, shape), beside / met, 1e-12);
}

TEST(Columns, ItemsThatAUserNeverMeetsAgreeWithShuffledEpochs) {
  // The user's 4 rows are of an item of their own; 300 items have 1 to 9 clicks of others.
  std::vector<uint64_t> counts;
  for (uint64_t i = 0; i < 300; ++i) counts.push_back(1 + i % 9);
  const auto others = rows_of(counts);
  const uint64_t user_rows = 4, rows = others.size() + user_rows, batch = 50;
  std::vector<uint32_t> order(rows);
  double never = 0;
  const int epochs = 400;
  Rng rng(1, Stream::test);
  for (int e = 0; e < epochs; ++e) {
    std::iota(order.begin(), order.end(), 0u);
    rng.shuffle(std::span(order));
    std::set<uint32_t> met;
    for (size_t step = 0; step < rows / batch; ++step) {
      const auto first = order.begin() + static_cast<ptrdiff_t>(step * batch), last = first + batch;
      if (std::none_of(first, last, [&](uint32_t row) { return row >= others.size(); })) continue;
      for (auto at = first; at != last; ++at)
        if (*at < others.size()) met.insert(others[*at]);
    }
    never += static_cast<double>(counts.size() - met.size());
  }
  const double expected = items_absent_from_user(Popularity(counts), {rows, batch}, user_rows);
  EXPECT_NEAR(never / epochs / expected, 1, 0.01);
}

TEST(EffectiveNegatives, ByHand) {
  const auto mixed = effective_negatives(Popularity(std::vector<uint64_t>{3, 1}), {4, 4}, 2);  // lambda 4, 2
  EXPECT_NEAR(mixed.different, 36. / 20, 1e-12);
  EXPECT_NEAR(mixed.columns, 4 / (0.25 + 0.5), 1e-12);
  EXPECT_EQ(mixed.reached, 2u);
  const auto alone = effective_negatives(Popularity(std::vector<uint64_t>{3, 1, 0}), {4, 4}, 0);  // lambda 3, 1
  EXPECT_NEAR(alone.columns, 4 / (1. / 3 + 1), 1e-12);
  EXPECT_EQ(alone.reached, 2u);
}

TEST(EffectiveNegatives, UniformColumnsAreWorthThemselves) {
  const auto even = effective_negatives(Popularity(std::vector<uint64_t>(100, 7)), {700, 50}, 30);
  EXPECT_NEAR(even.columns, 80, 1e-9);
  EXPECT_NEAR(even.different, 100, 1e-9);
}

// The corrected sum over drawn columns, sum_c f(c) / lambda(c), estimates sum_j f(j); with f of independent signs its
// variance is that of so many uniform draws.
TEST(EffectiveNegatives, SayHowNoisyACorrectedSumIs) {
  const std::vector<uint64_t> counts{400, 200, 100, 50, 25, 12, 6, 4, 2, 1};
  const auto log = rows_of(counts);
  const uint64_t batch = 40, draws = 10;
  const auto items = static_cast<double>(counts.size());
  std::vector<double> lambda;
  for (const uint64_t n : counts)
    lambda.push_back(40.0 * static_cast<double>(n) / static_cast<double>(log.size()) + 10 / items);
  Rng rng(3, Stream::test);
  double squares = 0;
  const int trials = 40000;
  for (int t = 0; t < trials; ++t) {
    std::vector<double> f(counts.size());
    for (auto& x : f) x = rng.below(2) ? 1 : -1;
    double estimate = 0;
    const auto add = [&](uint32_t item) { estimate += f[item] / lambda[item]; };
    for (uint64_t c = 0; c < batch; ++c) add(log[rng.below(log.size())]);
    for (uint64_t c = 0; c < draws; ++c) add(static_cast<uint32_t>(rng.below(counts.size())));
    estimate -= std::accumulate(f.begin(), f.end(), 0.0);
    squares += estimate * estimate;
  }
  // sum_j 1 / lambda_j, less what is saved as each source brings a fixed number of draws: sum_k n_k sum_j (q_kj /
  // lambda_j)^2.
  const double columns = effective_negatives(Popularity(counts), {log.size(), batch}, draws).columns;
  double saved = 0;
  for (size_t j = 0; j < counts.size(); ++j) {
    const double q = static_cast<double>(counts[j]) / static_cast<double>(log.size());
    saved +=
        (static_cast<double>(batch) * q * q + static_cast<double>(draws) / (items * items)) / (lambda[j] * lambda[j]);
  }
  const double expected = items * items / columns - saved;
  EXPECT_NEAR(squares / trials / expected, 1, 0.03);
}

}  // namespace
}  // namespace pagoda::diagnose
