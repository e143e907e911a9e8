#include "math/item_set.h"

#include <gtest/gtest.h>

namespace pagoda::math {
namespace {

TEST(ItemSet, HoldsTheRowsThatWereAdded) {
  ItemSet set(130);
  EXPECT_EQ(set.count(), 0u);
  for (const uint32_t row : {0u, 63u, 64u, 129u}) set.add(row);
  set.add(64);
  EXPECT_EQ(set.rows(), (std::vector<uint32_t>{0, 63, 64, 129}));
  set.remove(63);
  set.remove(5);
  EXPECT_EQ(set.count(), 3u);
  EXPECT_FALSE(set.has(63));
  EXPECT_TRUE(set.has(129));
}

TEST(ItemSet, InvertingNeverPutsRowsPastTheEndIn) {
  for (const size_t items : {0, 1, 63, 64, 65, 128, 130}) {
    EXPECT_EQ(ItemSet(items, true).count(), items);
    ItemSet set(items);
    set.invert();
    EXPECT_EQ(set.count(), items);
    set.invert();
    EXPECT_EQ(set.count(), 0u);
  }
}

TEST(ItemSet, AndKeepsTheCommonRowsAndOrAllOfThem) {
  ItemSet a(70), b(70);
  a.add(1);
  a.add(65);
  b.add(65);
  b.add(2);
  ItemSet both = a, either = a;
  EXPECT_EQ((both &= b).rows(), std::vector<uint32_t>{65});
  EXPECT_EQ((either |= b).rows(), (std::vector<uint32_t>{1, 2, 65}));
}

}  // namespace
}  // namespace pagoda::math
