#include "sampling/negatives.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/error.h"
#include "core/rng.h"

namespace pagoda::sampling {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

double chi_square(const std::vector<double>& seen, const std::vector<double>& expected) {
  double sum = 0;
  for (size_t k = 0; k < seen.size(); ++k) {
    if (expected[k] == 0) {
      EXPECT_EQ(seen[k], 0) << "outcome " << k << " has no density";
      continue;
    }
    sum += (seen[k] - expected[k]) * (seen[k] - expected[k]) / expected[k];
  }
  return sum;
}

// The 99.9% point of chi-square with n degrees of freedom (Wilson and Hilferty 1931).
double chi_square_limit(double n) { return n * std::pow(1 - 2 / (9 * n) + 3.09 * std::sqrt(2 / (9 * n)), 3); }

// 50 items, some of them never seen; two users.
struct World {
  static constexpr uint32_t kItems = 50;
  std::vector<uint64_t> counts;
  std::unique_ptr<Frequency> frequency;
  ItemsOfUsers user_items, impressions, mined;
  SamplingContext context;

  World() {
    for (uint64_t item = 0; item < kItems; ++item) counts.push_back(item % 10 == 9 ? 0 : 2000 / (item + 1));
    frequency = make_counts(counts);
    user_items.push(std::vector<uint32_t>{0, 1, 40});
    user_items.push(std::vector<uint32_t>{2});
    impressions.push(std::vector<uint32_t>{5, 6, 7});
    impressions.push({});
    context = {.catalogue_items = kItems,
               .batch_rows = 2,
               .training_counts = counts,
               .frequency = frequency.get(),
               .user_items = &user_items,
               .impressions = &impressions,
               .mined = &mined,
               .memory = nullptr};
  }
};

// Draws of many steps against what the source declares.
void expect_drawn_as_declared(const NegativesOptions& options, size_t outcomes) {
  const World w;
  const auto source = make_negative_source(options, w.context);
  const uint64_t steps = 500;
  std::vector<double> seen(World::kItems, 0.0), expected(World::kItems);
  const std::vector<uint32_t> users{0, 1};
  double draws = 0;
  for (uint64_t step = 0; step < steps; ++step) {
    const SamplingStep now{.seed = 1, .step = step, .progress = 0, .positives = {}, .users = users};
    std::vector<uint32_t> columns;
    if (source->per_row())
      for (size_t row = 0; row < 2; ++row) source->draw_row(now, row, columns);
    else
      source->draw(now, columns);
    ASSERT_EQ(static_cast<double>(columns.size()), source->draws(now) * (source->per_row() ? 2 : 1));
    draws += static_cast<double>(columns.size());
    for (const uint32_t item : columns) ++seen.at(item);
  }
  double total = 0;
  for (uint32_t item = 0; item < World::kItems; ++item) {
    total += std::exp(source->log_density(item));
    expected[item] = draws * std::exp(source->log_density(item));
  }
  EXPECT_NEAR(total, 1, 1e-12);
  EXPECT_EQ(static_cast<size_t>(std::ranges::count_if(expected, [](double e) { return e > 0; })), outcomes);
  EXPECT_LT(chi_square(seen, expected), chi_square_limit(static_cast<double>(outcomes) - 1));
  EXPECT_EQ(source->log_density(World::kItems), -kInfinity);
}

TEST(Uniform, DrawsWhatItDeclares) {
  expect_drawn_as_declared({.source = "uniform", .count = 40}, 50);
  expect_drawn_as_declared({.source = "uniform", .count = 40, .items = DrawnItems::clicked}, 45);
}

TEST(Popularity, DrawsWhatItDeclares) {
  expect_drawn_as_declared({.source = "popularity", .count = 40}, 50);
  expect_drawn_as_declared({.source = "popularity", .count = 40, .power = 1.0}, 50);
  expect_drawn_as_declared({.source = "popularity", .count = 40, .power = 0.0}, 50);
}

TEST(Popularity, IsThePowerOfTheCount) {
  const World w;
  const auto source = make_negative_source({.source = "popularity", .power = 0.5}, w.context);
  EXPECT_NEAR(source->log_density(0) - source->log_density(3), 0.5 * std::log(2000.0 / 500), 1e-12);
  EXPECT_NEAR(source->log_density(9) - source->log_density(0), 0.5 * std::log(0.5 / 2000), 1e-12);  // never seen
}

TEST(Hot, DrawsTheHeadAloneAsItDeclares) {
  expect_drawn_as_declared({.source = "hot", .count = 40}, 10);
  expect_drawn_as_declared({.source = "hot", .count = 40, .share = 1.0}, 50);
}

TEST(ColdPerUser, DrawsTheTailAsItDeclares) {
  expect_drawn_as_declared({.source = "cold_per_user", .count = 20}, 40);
  expect_drawn_as_declared({.source = "cold_per_user", .count = 20, .share = 0.1}, 5);
}

TEST(ColdPerUser, TheTailBeginsWithWhatNobodyClicked) {
  const World w;
  const auto source = make_negative_source({.source = "cold_per_user", .share = 0.1}, w.context);
  for (const uint32_t item : {9u, 19u, 29u, 39u, 49u}) EXPECT_NEAR(source->log_density(item), -std::log(5), 1e-12);
}

TEST(Sources, ADrawDependsOnSeedStepAndRowAlone) {
  const World w;
  for (const char* name : {"uniform", "popularity", "hot"}) {
    const auto source = make_negative_source({.source = name, .count = 100}, w.context);
    const auto draw = [&](uint64_t seed, uint64_t step) {
      std::vector<uint32_t> columns;
      source->draw({.seed = seed, .step = step}, columns);
      return columns;
    };
    EXPECT_EQ(draw(1, 7), draw(1, 7));
    EXPECT_NE(draw(1, 7), draw(1, 8));
    EXPECT_NE(draw(1, 7), draw(2, 7));
  }
  const auto cold = make_negative_source({.source = "cold_per_user", .count = 100}, w.context);
  std::vector<uint32_t> first, again, second;
  cold->draw_row({.seed = 1, .step = 1}, 0, first);
  cold->draw_row({.seed = 1, .step = 1}, 0, again);
  cold->draw_row({.seed = 1, .step = 1}, 1, second);
  EXPECT_EQ(first, again);
  EXPECT_NE(first, second);
}

TEST(Impressions, AreDrawnEvenlyFromTheUsersOwnListAndDeclareNoDensity) {
  const World w;
  const auto source = make_negative_source({.source = "impressions", .count = 3000}, w.context);
  const std::vector<uint32_t> users{0, 1};
  std::vector<uint32_t> first, second;
  source->draw_row({.seed = 1, .users = users}, 0, first);
  source->draw_row({.seed = 1, .users = users}, 1, second);
  EXPECT_TRUE(second.empty());  // that user was shown nothing
  std::vector<double> seen(3, 0.0);
  for (const uint32_t item : first) ++seen.at(item - 5);
  EXPECT_LT(chi_square(seen, {1000, 1000, 1000}), chi_square_limit(2));
  EXPECT_FALSE(source->has_known_density());
}

TEST(InBatch, DeclaresHowOftenAPositiveComesInABatch) {
  // Positives of a stream that counts describe: items seen only, as half a count is lent to an item never seen.
  std::vector<uint64_t> counts(40);
  double total = 0;
  for (size_t item = 0; item < counts.size(); ++item)
    total += static_cast<double>(counts[item] = 2000 / static_cast<uint64_t>(item + 1));
  const auto frequency = make_counts(counts);
  const uint64_t batch = 64, steps = 400;
  const auto source = make_in_batch({.catalogue_items = 40, .training_counts = counts, .frequency = frequency.get()});
  std::vector<double> seen(40, 0.0), expected(40);
  for (uint64_t step = 0; step < steps; ++step) {
    Rng rng(1, Stream::test, step);
    for (uint64_t k = 0; k < batch; ++k) {
      double u = rng.uniform() * total;
      size_t item = 0;
      while (u >= static_cast<double>(counts[item])) u -= static_cast<double>(counts[item++]);
      ++seen[item];
    }
  }
  for (uint32_t item = 0; item < 40; ++item)
    expected[item] = static_cast<double>(steps * batch) * std::exp(source->log_density(item));
  EXPECT_LT(chi_square(seen, expected), chi_square_limit(39));
  std::vector<uint32_t> columns;
  source->draw({}, columns);
  EXPECT_TRUE(columns.empty());  // the batch brings them
}

TEST(InBatch, OnTheClockOfStepsTheReadingIsTheCount) {
  FrequencyOptions options;
  options.kind = FrequencyKind::streaming;
  options.clock = FrequencyClock::step;
  options.buckets = 1000;
  const auto frequency = make_streaming(options, 1);
  for (int k = 0; k < 10; ++k) frequency->observe(std::vector<uint32_t>{1, 2, 3});
  const auto source = make_in_batch({.catalogue_items = 5, .batch_rows = 3, .frequency = frequency.get()});
  const std::vector<uint32_t> positives{1, 2, 3};
  EXPECT_EQ(source->draws({.positives = positives}), 1);
  EXPECT_EQ(source->log_density(1), frequency->log_probability(1));
}

TEST(CountSchedule, MovesFromOneCountToAnotherWithinItsTime) {
  NegativesOptions o{.source = "uniform", .count = 100, .final_count = 20};
  EXPECT_EQ(CountSchedule(o, 7).at(0), 100);
  EXPECT_EQ(CountSchedule(o, 7).at(0.5), 60);
  o.start = 0.25;
  o.stop = 0.75;
  EXPECT_EQ(CountSchedule(o, 7).at(0.2), 0);
  EXPECT_EQ(CountSchedule(o, 7).at(0.25), 80);
  EXPECT_EQ(CountSchedule(o, 7).at(0.75), 0);
  EXPECT_EQ(CountSchedule({}, 7).at(0.99), 7);
  EXPECT_EQ(CountSchedule({}, 7, 0.1).at(0.05), 0);
}

void expect_refused(const NegativesOptions& options, const std::string& part) {
  World w;
  w.context.impressions = nullptr;
  try {
    make_negative_source(options, w.context);
    FAIL() << "expected: " << part;
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::usage);
    EXPECT_NE(std::string(error.what()).find(part), std::string::npos) << error.what();
  }
}

TEST(Sources, RefuseWhatTheyCannotMean) {
  expect_refused({.source = "unifrom"}, "did you mean 'uniform'?");
  expect_refused({.source = "uniform", .count = -1}, "count = -1");
  expect_refused({.source = "hot", .share = 0.0}, "share = 0");
  expect_refused({.source = "cold_per_user", .share = 1.5}, "share = 1.5");
  expect_refused({.source = "uniform", .power = 0.5}, "source 'uniform' has no power");
  expect_refused({.source = "in_batch", .count = 5}, "source 'in_batch' has no count");
  expect_refused({.source = "uniform", .start = 0.5, .stop = 0.5}, "stop = 0.5");
  expect_refused({.source = "mined", .mining = Mining::offline, .first_rank = 10, .last_rank = 5}, "last_rank = 5");
  expect_refused({.source = "impressions"}, "data.impressions");
}

}  // namespace
}  // namespace pagoda::sampling
