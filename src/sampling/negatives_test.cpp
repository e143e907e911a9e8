#include "sampling/negatives.h"

#include <gtest/gtest.h>

#include "core/error.h"
#include "core/rng.h"

namespace pagoda {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

struct World {
  std::vector<uint64_t> counts{40, 30, 0, 20, 10};
  std::unique_ptr<Frequency> frequency = make_counts(counts);
  NegativeWorld world{5, 8, counts, frequency.get()};
};

double chi_square(const std::vector<double>& seen, const std::vector<double>& expected) {
  double sum = 0;
  for (size_t k = 0; k < seen.size(); ++k) sum += (seen[k] - expected[k]) * (seen[k] - expected[k]) / expected[k];
  return sum;
}

// The 99.9% point of chi-square with n degrees of freedom (Wilson and Hilferty 1931).
double chi_square_limit(double n) { return n * std::pow(1 - 2 / (9 * n) + 3.09 * std::sqrt(2 / (9 * n)), 3); }

TEST(Uniform, DrawsWhatItDeclares) {
  const uint32_t items = 50;
  const int64_t count = 40, steps = 500;
  const auto source = make_uniform(count, items);
  std::vector<double> seen(items, 0.0), expected(items);
  for (int64_t step = 0; step < steps; ++step) {
    std::vector<uint32_t> columns;
    source->draw(1, static_cast<uint64_t>(step), columns);
    ASSERT_EQ(columns.size(), static_cast<size_t>(count));
    for (const uint32_t item : columns) ++seen.at(item);
  }
  for (uint32_t item = 0; item < items; ++item)
    expected[item] = static_cast<double>(steps) * std::exp(source->log_expected_count(item));
  EXPECT_LT(chi_square(seen, expected), chi_square_limit(items - 1));
  EXPECT_EQ(source->log_expected_count(items), -kInfinity);
}

TEST(Uniform, DependsOnSeedAndStepAlone) {
  const auto source = make_uniform(100, 1000);
  const auto draw = [&](uint64_t seed, uint64_t step) {
    std::vector<uint32_t> columns;
    source->draw(seed, step, columns);
    return columns;
  };
  EXPECT_EQ(draw(1, 7), draw(1, 7));
  EXPECT_NE(draw(1, 7), draw(1, 8));
  EXPECT_NE(draw(1, 7), draw(2, 7));
}

TEST(InBatch, DeclaresHowOftenAPositiveComesInABatch) {
  // Positives of a stream that counts describe: items seen only, as half a count is lent to an item never seen.
  std::vector<uint64_t> counts(40);
  double total = 0;
  for (size_t item = 0; item < counts.size(); ++item) total += static_cast<double>(counts[item] = 2000 / (item + 1));
  const auto frequency = make_counts(counts);
  const int64_t batch = 64, steps = 400;
  const auto source = make_in_batch({40, batch, counts, frequency.get()});
  std::vector<double> seen(40, 0.0), expected(40);
  for (int64_t step = 0; step < steps; ++step) {
    Rng rng(1, Stream::test, static_cast<uint64_t>(step));
    for (int64_t k = 0; k < batch; ++k) {
      double u = rng.uniform() * total;
      size_t item = 0;
      while (u >= static_cast<double>(counts[item])) u -= static_cast<double>(counts[item++]);
      ++seen[item];
    }
  }
  for (uint32_t item = 0; item < 40; ++item)
    expected[item] = static_cast<double>(steps) * std::exp(source->log_expected_count(item));
  EXPECT_LT(chi_square(seen, expected), chi_square_limit(39));
  std::vector<uint32_t> columns;
  source->draw(1, 1, columns);
  EXPECT_TRUE(columns.empty());  // the batch brings them
}

TEST(InBatch, OnTheClockOfStepsTheReadingIsTheCount) {
  FrequencyOptions options;
  options.kind = FrequencyKind::streaming, options.clock = FrequencyClock::step, options.buckets = 1000;
  const auto frequency = make_streaming(options, 1);
  for (int k = 0; k < 10; ++k) frequency->observe(std::vector<uint32_t>{1, 2, 3});
  const auto source = make_in_batch({5, 3, {}, frequency.get()});
  EXPECT_EQ(source->log_expected_count(1), frequency->log_probability(1));
}

TEST(Mixture, AddsUpTheExpectedCountsOfItsSources) {
  const World w;
  const Mixture mixture({{"in_batch"}, {"uniform", 20}}, w.world);
  Columns columns;
  const std::vector<uint32_t> positives{0, 0, 1, 3, 4, 0, 1, 3};
  mixture.draw(positives, 1, 1, columns);
  ASSERT_EQ(columns.items.size(), 28u);
  EXPECT_TRUE(std::equal(positives.begin(), positives.end(), columns.items.begin()));
  for (size_t j = 0; j < 28; ++j) {
    const double q = (static_cast<double>(w.counts[columns.items[j]]) + 0.5) / 102.5;
    EXPECT_NEAR(columns.log_count[j], std::log(8 * q + 20.0 / 5), 1e-13);
  }
  EXPECT_EQ(columns.drawn, 28);
  EXPECT_EQ(columns.first_negative, 0u);
  EXPECT_TRUE(columns.log_multiplicity.empty());
  EXPECT_FALSE(mixture.is_catalogue());
}

TEST(Mixture, TheOrderOfTheConfigDoesNotMatter) {
  const World w;
  Columns a, b;
  Mixture({{"in_batch"}, {"uniform", 20}}, w.world).draw(std::vector<uint32_t>{1, 0}, 1, 1, a);
  Mixture({{"uniform", 20}, {"in_batch"}}, w.world).draw(std::vector<uint32_t>{1, 0}, 1, 1, b);
  EXPECT_EQ(a.items, b.items);
  EXPECT_EQ(a.log_count, b.log_count);
}

TEST(Mixture, AShortBatchCountsForWhatItIs) {
  const World w;
  Columns columns;
  Mixture({{"in_batch"}}, w.world).draw(std::vector<uint32_t>{0, 3}, 1, 1, columns);
  EXPECT_NEAR(std::exp(columns.log_count[0]), 2 * 40.5 / 102.5, 1e-13);
  EXPECT_EQ(columns.drawn, 2);
}

TEST(Mixture, WithoutInBatchThePositivesAreNegativesOfNoRow) {
  const World w;
  Columns columns;
  Mixture({{"uniform", 20}}, w.world).draw(std::vector<uint32_t>{0, 3, 3}, 1, 1, columns);
  ASSERT_EQ(columns.items.size(), 23u);
  EXPECT_EQ(columns.first_negative, 3u);
  EXPECT_EQ(columns.drawn, 20);
  for (const double log_count : columns.log_count) EXPECT_NEAR(log_count, std::log(20.0 / 5), 1e-14);
}

TEST(Mixture, TheCatalogueIsEveryItemOnce) {
  const World w;
  const Mixture mixture({{"catalogue"}}, w.world);
  Columns columns;
  mixture.draw(std::vector<uint32_t>{3, 3, 1}, 1, 1, columns);
  EXPECT_TRUE(mixture.is_catalogue());
  EXPECT_EQ(columns.items, (std::vector<uint32_t>{0, 1, 2, 3, 4}));
  EXPECT_EQ(columns.log_count, std::vector<double>(5, 0.0));
  EXPECT_TRUE(columns.log_multiplicity.empty());
  EXPECT_EQ(columns.drawn, 5);
}

TEST(Mixture, AWeightedCatalogueCountsColumnsByPopularity) {
  const World w;
  Columns columns;
  Mixture({{"catalogue", 1, 0.5}}, w.world).draw({}, 1, 1, columns);
  ASSERT_EQ(columns.log_multiplicity.size(), 5u);
  for (size_t item = 0; item < 5; ++item)
    EXPECT_NEAR(std::exp(columns.log_multiplicity[item]),
                std::sqrt((static_cast<double>(w.counts[item]) + 0.5) / (102.5 / 5)), 1e-13);
}

void expect_refused(const std::vector<NegativesOptions>& options, const std::string& part) {
  const World w;
  try {
    Mixture(options, w.world);
    FAIL() << "expected: " << part;
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::usage);
    EXPECT_NE(std::string(error.what()).find(part), std::string::npos) << error.what();
  }
}

TEST(Mixture, RefusesWhatItCanNotMean) {
  expect_refused({{"unifrom", 5}}, "did you mean 'uniform'?");
  expect_refused({{"in_batch"}, {"uniform", 0}}, "count = 0");
  expect_refused({{"catalogue"}, {"uniform", 5}}, "'catalogue' already has every item");
  expect_refused({{"uniform", 5}, {"uniform", 6}}, "named twice");
  expect_refused({}, "no source");
}

}  // namespace
}  // namespace pagoda
