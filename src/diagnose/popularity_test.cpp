#include "diagnose/popularity.h"

#include <gtest/gtest.h>

namespace pagoda::diagnose {
namespace {

const std::vector<uint64_t> kCounts{3, 0, 6, 1, 0};

TEST(Popularity, GroupsItemsByClicksHottestFirst) {
  const Popularity p(std::vector<uint64_t>{1, 4, 1, 0});
  ASSERT_EQ(p.groups().size(), 3u);
  EXPECT_EQ(p.groups()[0].count, 4u);
  EXPECT_EQ(p.groups()[1].items, 2u);
  EXPECT_EQ(p.groups()[2].count, 0u);
  EXPECT_EQ(p.items(), 4u);
  EXPECT_EQ(p.clicks(), 6u);
}

TEST(Popularity, TheTopPartIsRoundedUpAndNeverEmpty) {
  const Popularity p(kCounts);
  EXPECT_EQ(p.head(0.01), 1u);
  EXPECT_EQ(p.head(0.2), 1u);
  EXPECT_EQ(p.head(0.21), 2u);
  EXPECT_EQ(p.head(1), 5u);
  EXPECT_DOUBLE_EQ(p.head_share(0.2), 0.6);
  EXPECT_DOUBLE_EQ(p.head_share(0.4), 0.9);
  EXPECT_EQ(p.clicks_of_hottest(3), 10u);
}

TEST(Popularity, CountsColdItemsAndTheMiddleClickedOne) {
  const Popularity p(kCounts);
  EXPECT_EQ(p.items_below(5), 4u);
  EXPECT_EQ(p.items_below(1), 2u);
  EXPECT_EQ(p.clicked_items(), 3u);
  EXPECT_EQ(p.median_of_clicked(), 3u);
  EXPECT_EQ(Popularity(std::vector<uint64_t>{9, 7, 5, 2}).median_of_clicked(),
            7u);  // the hotter of the two middle ones
}

TEST(Popularity, GiniIsZeroWhenEvenAndCountsItemsWithoutClicks) {
  EXPECT_NEAR(Popularity(std::vector<uint64_t>{2, 2, 2}).gini(), 0, 1e-15);
  EXPECT_NEAR(Popularity(kCounts).gini(), 0.6, 1e-15);                             // 2 * 45 / 50 - 6 / 5
  EXPECT_NEAR(Popularity(std::vector<uint64_t>{0, 0, 0, 8}).gini(), 0.75, 1e-15);  // all on one of n: 1 - 1/n
}

TEST(Popularity, EffectiveItemsAreTheItemsWhenEvenAndFewerWhenNot) {
  EXPECT_NEAR(Popularity(std::vector<uint64_t>{5, 5, 5, 5}).effective_items(), 4, 1e-12);
  EXPECT_NEAR(Popularity(kCounts).effective_items(), 1 / 0.46, 1e-12);
}

TEST(Popularity, MeansGoOverARangeOfItemsThatMayCutAGroup) {
  const Popularity p(std::vector<uint64_t>{4, 4, 4, 1});
  const auto count = [](uint64_t n) { return static_cast<double>(n); };
  EXPECT_DOUBLE_EQ(p.mean(1, 4, count), 3);
  EXPECT_DOUBLE_EQ(p.mean(0, 2, count), 4);
  EXPECT_DOUBLE_EQ(p.mean(2, 2, count), 0);
  EXPECT_DOUBLE_EQ(p.sum(count), 13);
}

}  // namespace
}  // namespace pagoda::diagnose
