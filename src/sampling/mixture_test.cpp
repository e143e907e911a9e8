#include "sampling/mixture.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <cmath>

#include "core/error.h"

namespace pagoda::sampling {
namespace {

struct World {
  std::vector<uint64_t> counts{40, 30, 0, 20, 10};
  std::unique_ptr<Frequency> frequency = make_counts(counts);
  ItemsOfUsers user_items, impressions, mined;
  SamplingContext context{.catalogue_items = 5,
                          .batch_rows = 8,
                          .training_counts = counts,
                          .frequency = frequency.get(),
                          .user_items = &user_items,
                          .impressions = &impressions,
                          .mined = &mined,
                          .memory = nullptr};
  World() {
    user_items.push(std::vector<uint32_t>{0, 2});
    user_items.push(std::vector<uint32_t>{2, 4});  // the whole of a tail of two
    impressions.push(std::vector<uint32_t>{1});
    impressions.push(std::vector<uint32_t>{3, 4});
  }
};

Columns draw(const Mixture& mixture, const std::vector<uint32_t>& positives, uint64_t step = 1,
             const std::vector<uint32_t>& users = {}, double progress = 0) {
  Columns columns;
  mixture.draw({.seed = 1, .step = step, .progress = progress, .positives = positives, .users = users}, columns);
  return columns;
}

TEST(Mixture, AddsUpTheExpectedCountsOfItsSources) {
  const World w;
  const Mixture mixture({{"in_batch"}, {"uniform", 20}}, w.context);
  const std::vector<uint32_t> positives{0, 0, 1, 3, 4, 0, 1, 3};
  const auto columns = draw(mixture, positives);
  ASSERT_EQ(columns.items.size(), 28u);
  EXPECT_TRUE(std::equal(positives.begin(), positives.end(), columns.items.begin()));
  for (size_t j = 0; j < 28; ++j) {
    const double q = (static_cast<double>(w.counts[columns.items[j]]) + 0.5) / 102.5;
    EXPECT_NEAR(columns.log_count[j], std::log(8 * q + 20.0 / 5), 1e-13);
  }
  EXPECT_EQ(columns.drawn, 28);
  EXPECT_EQ(columns.first_negative, 0u);
  EXPECT_EQ(columns.shared, 28u);
  EXPECT_TRUE(columns.log_multiplicity.empty());
  EXPECT_EQ(columns.row_columns.size(), 0u);
  EXPECT_FALSE(mixture.is_catalogue());
}

TEST(Mixture, TheOrderOfTheConfigDoesNotMatter) {
  const World w;
  const auto a = draw(Mixture({{"in_batch"}, {"uniform", 20}}, w.context), {1, 0});
  const auto b = draw(Mixture({{"uniform", 20}, {"in_batch"}}, w.context), {1, 0});
  EXPECT_EQ(a.items, b.items);
  EXPECT_EQ(a.log_count, b.log_count);
}

TEST(Mixture, AShortBatchCountsForWhatItIs) {
  const World w;
  const auto columns = draw(Mixture({{"in_batch"}}, w.context), {0, 3});
  EXPECT_NEAR(std::exp(columns.log_count[0]), 2 * 40.5 / 102.5, 1e-13);
  EXPECT_EQ(columns.drawn, 2);
}

TEST(Mixture, WithoutInBatchThePositivesAreNegativesOfNoRow) {
  const World w;
  const auto columns = draw(Mixture({{"uniform", 20}}, w.context), {0, 3, 3});
  ASSERT_EQ(columns.items.size(), 23u);
  EXPECT_EQ(columns.first_negative, 3u);
  EXPECT_EQ(columns.drawn, 20);
  for (const double log_count : columns.log_count) EXPECT_NEAR(log_count, std::log(20.0 / 5), 1e-14);
}

TEST(Mixture, TheCatalogueIsEveryItemOnce) {
  const World w;
  const Mixture mixture({{"catalogue"}}, w.context);
  const auto columns = draw(mixture, {3, 3, 1});
  EXPECT_TRUE(mixture.is_catalogue());
  EXPECT_EQ(columns.items, (std::vector<uint32_t>{0, 1, 2, 3, 4}));
  EXPECT_EQ(columns.log_count, std::vector<double>(5, 0.0));
  EXPECT_TRUE(columns.log_multiplicity.empty());
  EXPECT_EQ(columns.drawn, 5);
}

TEST(Mixture, AWeightedCatalogueCountsColumnsByPopularity) {
  const World w;
  const auto columns = draw(Mixture({{.source = "catalogue", .power = 0.5}}, w.context), {});
  ASSERT_EQ(columns.log_multiplicity.size(), 5u);
  for (size_t item = 0; item < 5; ++item)
    EXPECT_NEAR(std::exp(columns.log_multiplicity[item]),
                std::sqrt((static_cast<double>(w.counts[item]) + 0.5) / (102.5 / 5)), 1e-13);
}

TEST(Mixture, ARowsOwnColumnsCountInTheExpectationOfEveryColumn) {
  const World w;
  // The tail of two: items 2 (never seen) and 4. User 0 has item 2, user 1 has both.
  const Mixture mixture({{"in_batch"}, {.source = "cold_per_user", .count = 6, .share = 0.4}}, w.context);
  const auto columns = draw(mixture, {0, 2}, 1, {0, 1});
  EXPECT_EQ(columns.shared, 2u);
  EXPECT_EQ(columns.items, (std::vector<uint32_t>{0, 2, 4}));  // item 4 has a column of its own, once
  ASSERT_EQ(columns.row_columns.size(), 2u);
  EXPECT_GT(columns.row_columns[0].size(), 0u);
  for (const uint32_t column : columns.row_columns[0]) EXPECT_EQ(column, 2u);
  EXPECT_TRUE(std::as_const(columns.row_columns)[1].empty());  // every cold item is this user's own
  EXPECT_NEAR(std::exp(columns.log_count[0]), 2 * 40.5 / 102.5, 1e-13);
  EXPECT_NEAR(std::exp(columns.log_count[1]), 2 * 0.5 / 102.5 + 6.0 / 2, 1e-13);
  for (const double log_count : columns.row_log_count)
    EXPECT_NEAR(std::exp(log_count), 2 * 10.5 / 102.5 + 6.0 / 2, 1e-13);
  EXPECT_EQ(columns.drawn, 8);
}

TEST(Mixture, CountedBySourceAColumnKnowsOnlyWhatBroughtIt) {
  const World w;
  const Mixture mixture({{"in_batch"}, {"uniform", 20}, {.source = "cold_per_user", .count = 6, .share = 0.4}},
                        w.context, CorrectBy::source);
  const auto columns = draw(mixture, {0, 2}, 1, {0, 1});
  EXPECT_NEAR(std::exp(columns.log_count[0]), 2 * 40.5 / 102.5, 1e-13);
  EXPECT_NEAR(std::exp(columns.log_count[2]), 4, 1e-13);
  for (const double log_count : columns.row_log_count) EXPECT_NEAR(std::exp(log_count), 3, 1e-13);
}

TEST(Mixture, UncorrectedColumnsCountAsThemselvesAndOthersDoNotKnowOfThem) {
  const World w;
  const Mixture mixture({{"in_batch"}, {.source = "impressions", .count = 2}}, w.context);
  const auto columns = draw(mixture, {0, 2}, 1, {0, 1});
  EXPECT_EQ(columns.row_columns[0].size(), 2u);
  EXPECT_LE(columns.row_columns[1].size(), 2u);  // item 4 is the user's own by now
  for (const uint32_t column : columns.row_columns.values) EXPECT_GE(column, columns.shared);
  for (const double log_count : columns.row_log_count) EXPECT_EQ(log_count, 0);
  EXPECT_NEAR(std::exp(columns.log_count[0]), 2 * 40.5 / 102.5, 1e-13);
}

TEST(Mixture, TheMemoryKeepsTheDensityItsItemsWereDrawnWith) {
  World w;
  CrossBatchMemory memory(8, 1);
  math::Matrix<float> vectors(3, 1);
  memory.push(std::vector<uint32_t>{4, 4, 1}, std::vector<double>{std::log(0.25), std::log(0.5), std::log(0.125)},
              vectors);
  w.context.memory = &memory;
  const Mixture mixture({{"in_batch"}, {"uniform", 20}, {.source = "cross_batch", .start = 0.5}}, w.context);
  const auto before = draw(mixture, {0, 3}, 1, {}, 0.4);
  EXPECT_EQ(before.items.size(), 22u);
  const auto columns = draw(mixture, {0, 3}, 1, {}, 0.5);
  // The positives, the same once more as negatives, 20 draws, the memory.
  ASSERT_EQ(columns.items.size(), 27u);
  EXPECT_EQ(columns.first_negative, 2u);
  EXPECT_EQ(columns.items[2], 0u);
  EXPECT_EQ(columns.memory_begin, 24u);
  EXPECT_EQ(columns.memory_end, 27u);
  EXPECT_EQ(columns.items[24], 4u);
  // 2 + 3 draws of the stream, and 4 of each item by the uniform source.
  EXPECT_NEAR(std::exp(columns.log_count[2]), 5 * 40.5 / 102.5 + 4, 1e-12);
  EXPECT_NEAR(std::exp(columns.log_count[24]), 5 * 0.25 + 4, 1e-12);
  EXPECT_NEAR(std::exp(columns.log_count[25]), 5 * 0.5 + 4, 1e-12);
  EXPECT_NEAR(std::exp(columns.log_count[26]), 5 * 0.125 + 4, 1e-12);
  // Items learn from the live columns alone, which stand for the memory's, too.
  EXPECT_EQ(columns.gradient_scale[0], 1);
  EXPECT_NEAR(columns.gradient_scale[2], (5 * 40.5 / 102.5 + 4) / (2 * 40.5 / 102.5 + 4), 1e-6);
  EXPECT_TRUE(before.gradient_scale.empty());
}

TEST(CrossBatchMemory, ForgetsTheOldestAndComesBackFromItsBytes) {
  CrossBatchMemory memory(3, 2);
  const auto push = [&](CrossBatchMemory& to, uint32_t item) {
    math::Matrix<float> v(1, 2);
    v.fill(static_cast<float>(item));
    to.push(std::vector<uint32_t>{item}, std::vector<double>{-static_cast<double>(item)}, v);
  };
  for (uint32_t item = 1; item <= 4; ++item) push(memory, item);
  ByteWriter out;
  memory.save(out);
  CrossBatchMemory copy(3, 2);
  ByteReader in(std::as_bytes(std::span(out.bytes())), "memory");
  copy.load(in);
  for (auto* m : {&memory, &copy}) {
    push(*m, 5);
    std::vector<uint32_t> items(m->items().begin(), m->items().end());
    for (size_t k = 0; k < 3; ++k) {
      EXPECT_EQ(m->vectors()[k][1], static_cast<float>(items[k]));
      EXPECT_EQ(m->log_density()[k], -static_cast<double>(items[k]));
    }
    std::ranges::sort(items);
    EXPECT_EQ(items, (std::vector<uint32_t>{3, 4, 5}));
  }
  CrossBatchMemory other(4, 2);
  ByteReader again(std::as_bytes(std::span(out.bytes())), "memory");
  EXPECT_THROW(other.load(again), Error);

  // Of another size: its latest entries, which leave in their order.
  ByteReader once_more(std::as_bytes(std::span(out.bytes())), "memory");
  const auto saved = CrossBatchMemory::of(once_more);
  EXPECT_EQ(saved.capacity(), 3u);
  CrossBatchMemory smaller(2, 2), larger(5, 2);
  smaller.take_latest(saved);
  larger.take_latest(saved);
  EXPECT_EQ(std::vector(smaller.items().begin(), smaller.items().end()), (std::vector<uint32_t>{3, 4}));
  EXPECT_EQ(std::vector(larger.items().begin(), larger.items().end()), (std::vector<uint32_t>{2, 3, 4}));
  push(smaller, 6);
  EXPECT_EQ(smaller.items()[0], 6u);
  EXPECT_EQ(larger.vectors()[2][0], 4.0f);
}

TEST(Uniform, DrawsFromTheItemsThatExistAndKnowsTheirNumber) {
  uint32_t existing = 2;
  const std::vector<uint64_t> counts(100, 1);
  const SamplingContext context{
      .catalogue_items = 100, .existing_items = &existing, .batch_rows = 4, .training_counts = counts};
  const auto source = make_uniform({.source = "uniform", .count = 50}, context);
  const SamplingStep step{.seed = 1, .step = 3, .progress = 0, .positives = {}, .users = {}};
  for (const uint32_t n : {2u, 7u}) {
    existing = n;
    std::vector<uint32_t> drawn;
    source->draw(step, drawn);
    EXPECT_EQ(drawn.size(), 50u);
    EXPECT_EQ(std::set<uint32_t>(drawn.begin(), drawn.end()).size(), n);
    EXPECT_LT(std::ranges::max(drawn), n);
    EXPECT_DOUBLE_EQ(source->log_density(n - 1), -std::log(static_cast<double>(n)));
    EXPECT_EQ(source->log_density(n), -std::numeric_limits<double>::infinity());
  }
}

TEST(Mixture, FurtherRowColumnsComeBehindTheOthersAndAreUncorrected) {
  Columns columns;
  columns.row_columns.push(std::vector<uint32_t>{7});
  columns.row_columns.push({});
  columns.row_log_count = {0.5};
  math::Ragged<uint32_t> more;
  more.push(std::vector<uint32_t>{1, 2});
  more.push(std::vector<uint32_t>{0});
  add_row_columns(more, columns);
  EXPECT_EQ(columns.row_columns.values, (std::vector<uint32_t>{7, 1, 2, 0}));
  EXPECT_EQ(columns.row_columns.offsets, (std::vector<uint64_t>{0, 3, 4}));
  EXPECT_EQ(columns.row_log_count, (std::vector<double>{0.5, 0, 0, 0}));
}

void expect_refused(const std::vector<NegativesOptions>& options, const std::string& part) {
  World w;
  CrossBatchMemory small(4, 1);
  w.context.memory = &small;
  try {
    const Mixture mixture(options, w.context);
    FAIL() << "expected: " << part;
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::usage);
    EXPECT_NE(std::string(error.what()).find(part), std::string::npos) << error.what();
  }
}

TEST(Mixture, RefusesWhatItCannotMean) {
  expect_refused({{"unifrom", 5}}, "did you mean 'uniform'?");
  expect_refused({{"catalogue"}, {"uniform", 5}}, "'catalogue' already has every item");
  expect_refused({{"uniform", 5}, {"uniform", 6}}, "named twice");
  expect_refused({{"hot"}}, "add source = \"in_batch\", \"uniform\" or \"popularity\"");
  expect_refused({{.source = "uniform", .start = 0.5}}, "does not draw every item all through training");
  expect_refused({{"in_batch"}, {"cross_batch", 4}}, "less than one batch of 8");
  expect_refused({}, "no source");
}

TEST(Mixture, DrawsMoreColumnsThanThereAreItems) {
  const World w;
  EXPECT_EQ(draw(Mixture({{"in_batch"}, {"uniform", 100}}, w.context), {0}).items.size(), 101u);
}

}  // namespace
}  // namespace pagoda::sampling
