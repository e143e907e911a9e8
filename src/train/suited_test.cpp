#include "train/suited.h"

#include <gtest/gtest.h>

namespace pagoda::train {
namespace {

TEST(Suited, ASmallCatalogueHasShortLists) {
  dataset::Options options;
  suit_size(options, {.rows = 300, .items = 60});
  EXPECT_EQ(options.evaluate.k, std::vector<int64_t>{20});
  EXPECT_EQ(options.train.choose_by, "recall@20");
  EXPECT_EQ(options.train.batch, 64);
  dataset::Options large;
  suit_size(large, {.rows = 10'000'000, .items = 100'000});
  EXPECT_EQ(large.evaluate.k, (std::vector<int64_t>{20, 100, 1000}));
  EXPECT_EQ(large.train.choose_by, "recall@100");
  EXPECT_EQ(large.train.batch, dataset::Options().train.batch);
}

TEST(Suited, ASplitInTimeIsAsShortAsStillTellsSomething) {
  constexpr int64_t kDay = int64_t{86400} * 1000000;
  std::vector<int64_t> times;
  for (int64_t n = 0; n < 1000; ++n) times.push_back(n * kDay / 10);
  data::SplitOptions split;
  EXPECT_TRUE(suit_split(split, times).starts_with("Split by time: the last 7d (70 rows)"));
  EXPECT_TRUE(split.kind == data::SplitKind::time && split.test == "7d" && split.validation == "7d");
  data::SplitOptions at_once;
  EXPECT_TRUE(suit_split(at_once, std::vector<int64_t>(100, kDay)).starts_with("Split at random"));
  EXPECT_EQ(at_once.kind, data::SplitKind::random);
}

}  // namespace
}  // namespace pagoda::train
