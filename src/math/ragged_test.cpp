#include "math/ragged.h"

#include <gtest/gtest.h>

namespace pagoda::math {
namespace {

TEST(Ragged, ListsComeBackInOrderEmptyOnesToo) {
  Ragged<int> lists;
  EXPECT_EQ(lists.size(), 0u);
  lists.push(std::vector{1, 2});
  lists.push({});
  lists.values.push_back(7);
  lists.close();
  ASSERT_EQ(lists.size(), 3u);
  EXPECT_EQ(std::vector(lists[0].begin(), lists[0].end()), (std::vector{1, 2}));
  EXPECT_TRUE(lists[1].empty());
  EXPECT_EQ(lists[2][0], 7);
  lists[0][1] = 5;
  EXPECT_EQ(lists.values, (std::vector{1, 5, 7}));
  EXPECT_EQ(lists.offsets, (std::vector<uint64_t>{0, 2, 2, 3}));
  lists.clear();
  EXPECT_EQ(lists.size(), 0u);
  EXPECT_TRUE(lists.values.empty());
}

}  // namespace
}  // namespace pagoda::math
