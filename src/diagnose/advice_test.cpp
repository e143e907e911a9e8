#include "diagnose/advice.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "core/config.h"
#include "core/error.h"

namespace pagoda::diagnose {
namespace {

struct SmallLog {
  std::vector<uint32_t> user, item;
  std::vector<int64_t> time_us;
  uint32_t users = 0, items = 0;
  void add(uint32_t u, uint32_t i) {
    user.push_back(u);
    item.push_back(i);
    users = std::max(users, u + 1);
    items = std::max(items, i + 1);
  }
  ClickLog view(uint32_t catalogue_items = 0) const {
    return {user, item, time_us, users, std::max(items, catalogue_items)};
  }
};

const AdvicePoint& point(const Advice& advice, const std::string& subject) {
  const auto at = std::ranges::find(advice.points, subject, &AdvicePoint::subject);
  EXPECT_NE(at, advice.points.end()) << subject;
  return *at;
}

bool takes(const Advice& advice, const std::string& source) {
  const bool taken = point(advice, source).verdict == Verdict::take;
  // What is taken stands in a block, what is not in none.
  const auto named = "source = \"" + source + "\"";
  EXPECT_EQ(std::ranges::any_of(advice.blocks, [&](const auto& b) { return b.toml.find(named) != b.toml.npos; }), taken)
      << source;
  return taken;
}

bool says(const Advice& advice, const std::string& subject, const std::string& words) {
  return point(advice, subject).text.find(words) != std::string::npos;
}

// A log of ten million clicks on a hundred million items: what no catalogue softmax affords.
Diagnosis large() {
  Diagnosis d;
  d.rows = 10000000;
  d.users = 1000000;
  d.catalogue_items = 100000000;
  d.clicked_items = 6000000;
  d.median_user_rows = 10;
  d.batch = 4096;
  d.steps = 2441;
  d.top_1_share = 0.4;
  d.top_20_share = 0.83;
  d.gini = 0.85;
  d.log_q_gap = 5;
  d.strata[0] = {"top 1%", 1000000, 4000000, 0.0016, 0.0016, 0.0017};
  d.strata[4] = {"bottom 50%", 50000000, 100000, 1e-6, 1e-6, 8e-5};
  d.accidental_hits = 0.001;
  d.liked_in_batch = 0.0011;
  d.uniform_count = uniform_count_for(d.catalogue_items);
  d.sampled_cost = 2e13;
  d.catalogue_cost = 2e17;
  d.catalogue_by_user = 2e16;
  return d;
}

TEST(Diagnosis, OfASmallLogByHand) {
  SmallLog log;  // items: 0 four times, 1 twice, 2 and 3 once, 4 never
  for (const auto& [u, i] : {std::pair(0u, 0u), {0u, 1u}, {1u, 0u}, {1u, 2u}, {2u, 0u}, {2u, 1u}, {2u, 3u}, {3u, 0u}})
    log.add(u, i);
  const auto d = diagnose(log.view(5), {.batch = 4, .dim = 2});
  EXPECT_EQ(d.rows, 8u);
  EXPECT_EQ(d.users, 4u);
  EXPECT_EQ(d.catalogue_items, 5u);
  EXPECT_EQ(d.clicked_items, 4u);
  EXPECT_EQ(d.items_below_5_clicks, 5u);
  EXPECT_EQ(d.median_user_rows, 2u);
  EXPECT_EQ(d.steps, 2u);
  EXPECT_DOUBLE_EQ(d.top_20_share, 0.5);
  EXPECT_DOUBLE_EQ(d.strata[0].in_batch_columns, 2);       // B q = 4 * 4 / 8
  EXPECT_DOUBLE_EQ(d.log_q_gap, std::log(4. / 2));         // the middle of the clicked ones has 2
  EXPECT_DOUBLE_EQ(d.items_absent_epoch, 1);               // item 4; no rows are left over
  EXPECT_DOUBLE_EQ(d.strata[4].in_batch_chance, 3. / 14);  // items 3 and 4: 3 columns of 7 others, and never
  EXPECT_EQ(d.uniform_count, 2u);                          // half of the catalogue
  EXPECT_DOUBLE_EQ(d.catalogue_cost, 3 * 8 * 5 * 2);
  EXPECT_DOUBLE_EQ(d.catalogue_by_user, 3 * 4 * 5 * 2);
  EXPECT_DOUBLE_EQ(d.sampled_cost, 3 * 8 * 6 * 2);
  EXPECT_FALSE(d.drift);
}

TEST(Diagnosis, ABatchIsAtMostTheLog) {
  SmallLog log;
  for (uint32_t r = 0; r < 6; ++r) log.add(r, r % 3);
  const auto d = diagnose(log.view(), {.batch = 4096, .dim = 64});
  EXPECT_EQ(d.batch, 6u);
  EXPECT_EQ(d.steps, 1u);
}

TEST(Diagnosis, RefusesALogThatHoldsNothingToChoose) {
  SmallLog one_row, one_item;
  one_row.add(0, 0);
  one_item.add(0, 0);
  one_item.add(1, 0);
  for (const auto* log : {&one_row, &one_item}) {
    try {
      diagnose(log->view(), {});
      FAIL();
    } catch (const Error& e) {
      EXPECT_EQ(e.kind(), ErrorKind::input);
    }
  }
}

TEST(UniformCount, GoesWithTheCatalogueWithinBounds) {
  EXPECT_EQ(uniform_count_for(2), 1u);
  EXPECT_EQ(uniform_count_for(300), 150u);
  EXPECT_EQ(uniform_count_for(6400), 256u);
  EXPECT_EQ(uniform_count_for(14511), 1024u);
  EXPECT_EQ(uniform_count_for(100000000), 8192u);
}

TEST(Advice, OfALargeSkewedCatalogueTakesEverySourceThatReachesWhatInBatchMisses) {
  const auto advice = advise(large());
  EXPECT_FALSE(takes(advice, "catalogue"));
  for (const char* source : {"in_batch", "uniform", "hot", "cold_per_user", "cross_batch"})
    EXPECT_TRUE(takes(advice, source)) << source;
  EXPECT_FALSE(takes(advice, "popularity"));
  EXPECT_TRUE(says(advice, "uniform", "94,000,000 of 100,000,000 items were never clicked"));
  EXPECT_TRUE(says(advice, "correction", "hot items hold 83% of the clicks"));
  ASSERT_EQ(advice.blocks.size(), 1u);
}

TEST(Advice, ABlockOfCatalogueComesFirstWhereItIsAffordable) {
  auto d = large();
  d.catalogue_items = 10000;
  d.catalogue_cost = 1e12;
  d.catalogue_by_user = 1e11;
  auto advice = advise(d);
  EXPECT_TRUE(takes(advice, "catalogue"));
  ASSERT_EQ(advice.blocks.size(), 2u);
  EXPECT_NE(advice.blocks[0].toml.find("source = \"catalogue\""), std::string::npos);
  EXPECT_EQ(advice.blocks[0].toml.find("rows = \"user\""), std::string::npos);

  d.catalogue_cost = 1e14;  // only with a row a user
  advice = advise(d);
  EXPECT_NE(advice.blocks[0].toml.find("rows = \"user\", targets = \"half\""), std::string::npos);

  // With times a row a click has the history before it: sampled columns first, the catalogue to compare with.
  d.drift = Drift{.unseen = {0, 0.01}, .next_overlap = 0.95, .ends_overlap = 0.9};
  advice = advise(d);
  EXPECT_NE(advice.blocks[0].toml.find("source = \"in_batch\""), std::string::npos);
  EXPECT_NE(advice.blocks[1].toml.find("targets = \"window\""), std::string::npos);
}

TEST(Advice, OfAnEvenPopularityLeavesOutWhatServesSkew) {
  auto d = large();
  d.clicked_items = d.catalogue_items;
  d.top_1_share = 0.01;
  d.top_20_share = 0.2;
  d.gini = 0.02;
  d.log_q_gap = 0.01;
  d.strata[4].in_batch_chance = 0.33;
  const auto advice = advise(d);
  EXPECT_FALSE(takes(advice, "uniform"));
  EXPECT_FALSE(takes(advice, "hot"));
  EXPECT_FALSE(takes(advice, "cold_per_user"));
  EXPECT_TRUE(says(advice, "correction", "changes little"));
  EXPECT_TRUE(says(advice, "logq_weight", "Gini 0.02"));
}

TEST(Advice, LeavesOutHotItemsThatAlreadyAreColumns) {
  auto d = large();
  d.strata[0].in_batch_columns = 9.7;
  const auto advice = advise(d);
  EXPECT_FALSE(takes(advice, "hot"));
  EXPECT_TRUE(says(advice, "hot", "already is 9.7 columns of a batch"));
}

TEST(Advice, TakesHotItemsWhereTheOnesBehindTheHottestAreSeldomColumns) {
  auto d = large();
  d.strata[0].in_batch_columns = 9.7;
  d.strata[2] = {"5-20%", 2177, d.rows / 4, 0.45, 0.33, 0.38};
  auto advice = advise(d);
  EXPECT_TRUE(takes(advice, "hot"));
  EXPECT_TRUE(says(advice, "hot", "an item of the 5-20% (2,177 items, 25% of the clicks)"));
  EXPECT_NE(advice.blocks[0].toml.find("count = 2048\nshare = 0.2"), std::string::npos);
  d.strata[2].clicks = d.rows / 20;  // they hold little
  EXPECT_FALSE(takes(advise(d), "hot"));
}

TEST(Advice, LeavesOutColdItemsOfSingleRowsWhereUniformColumnsReachThem) {
  auto d = large();
  d.catalogue_items = 1000000;
  d.clicked_items = 900000;
  d.uniform_count = 8192;  // 20 draws of each an epoch
  const auto advice = advise(d);
  EXPECT_TRUE(takes(advice, "uniform"));
  EXPECT_FALSE(takes(advice, "cold_per_user"));
}

TEST(Advice, WithHitsInsteadOfNegativesTakesUniformColumnsAlone) {
  auto d = large();
  d.accidental_hits = 1;  // one user
  const auto advice = advise(d);
  EXPECT_FALSE(takes(advice, "in_batch"));
  EXPECT_TRUE(takes(advice, "uniform"));
  EXPECT_FALSE(takes(advice, "cross_batch"));
}

TEST(Advice, StreamingIsForDriftInOrderOfTime) {
  auto d = large();
  d.drift = Drift{.unseen = {0, 0.01}, .next_overlap = 0.95, .ends_overlap = 0.9};
  EXPECT_TRUE(says(advise(d), "frequency", "nothing to follow"));
  d.drift->ends_overlap = 0.3;
  const auto advice = advise(d);
  EXPECT_TRUE(says(advice, "frequency", "the first and the last 30%"));
  EXPECT_NE(advice.blocks[0].toml.find("\"streaming\" with order = \"time\""), std::string::npos);
  d.drift.reset();
  EXPECT_TRUE(says(advise(d), "frequency", "without times"));
}

TEST(Advice, TemperatureGoesDownWithTheCatalogue) {
  auto d = large();
  EXPECT_TRUE(says(advise(d), "temperature", "0.05: "));  // 1 / log 1e8 = 0.054
  d.catalogue_items = 22027;
  d.clicked_items = 20000;
  EXPECT_TRUE(says(advise(d), "temperature", "0.1: one item at cosine 1 against 22,026"));  // e^10
  d.catalogue_items = 2;
  d.clicked_items = 2;
  EXPECT_TRUE(says(advise(d), "temperature", "0.2: "));
}

TEST(Advice, LikedColumnsThatNoMaskKnowsOfSuggestARowAUser) {
  auto d = large();
  const auto advice = advise(d);
  for (const auto& p : advice.points) EXPECT_NE(p.subject, "rows");
  d.liked_in_batch = 0.201;
  EXPECT_TRUE(says(advise(d), "rows", "20% of in-batch columns"));
}

TEST(Advice, BlocksAreToml) {
  auto with_catalogue = large();
  with_catalogue.catalogue_by_user = 1e11;
  for (const auto& d : {large(), with_catalogue})
    for (const auto& block : advise(d).blocks) EXPECT_NO_THROW(Config::from_text(block.toml, "advice")) << block.toml;
}

}  // namespace
}  // namespace pagoda::diagnose
