#include "train/choose_half_life.h"

#include <gtest/gtest.h>

namespace pagoda::train {
namespace {

constexpr int64_t kDay = int64_t{86400} * 1000000;

// 60 users in 2 circles take one of 40 items a day for 90 days; the last ten days are validation. `fashion`: everyone
// takes what is new this week; else each takes from the 20 items of its circle.
dataset::Dataset log_of(bool fashion) {
  dataset::Dataset d;
  for (uint32_t i = 0; i < 40; ++i) {
    d.item_row.push_back(d.log.items.add("i" + std::to_string(i)));
    d.catalogue.add(d.log.items[i]);
  }
  for (uint32_t u = 0; u < 60; ++u) {
    d.user_row.push_back(d.log.users.add("u" + std::to_string(u)));
    d.users.add(d.log.users[u]);
  }
  for (uint32_t day = 0; day < 90; ++day)
    for (uint32_t u = 0; u < 60; ++u) {
      if ((u + day) % 4 != 0) continue;
      const uint32_t own = u % 2 * 20 + (day / 4 + u * 7) % 20, new_one = day / 7 * 3 + (u + day) % 3;
      d.log.user.push_back(u);
      d.log.item.push_back(fashion ? new_one : own);
      d.log.time_us.push_back(day * kDay + u);
      d.parts.push_back(day < 80 ? data::Part::train : data::Part::validation);
    }
  d.train_end_us = 80 * kDay;
  d.end_us = 90 * kDay;
  return d;
}

int64_t chosen(bool fashion, std::string* said, const std::string& option = "auto") {
  const auto data = log_of(fashion);
  dataset::Options options;
  options.train.half_life = option;
  options.evaluate.k = {5};
  ThreadPool pool(1);
  return choose_half_life(pool, data, dataset::relevant_items(data, data::Part::validation), options, said);
}

TEST(ChooseHalfLife, NewerRowsWeighMoreWhereFashionTellsMoreThanTaste) {
  std::string said;
  const auto half_life_us = chosen(true, &said);
  EXPECT_GT(half_life_us, 0) << said;
  EXPECT_LT(half_life_us, 40 * kDay) << said;
  EXPECT_NE(said.find("by recent popularity"), std::string::npos) << said;
}

TEST(ChooseHalfLife, RowsWeighTheSameWhereTasteLasts) {
  std::string said;
  EXPECT_EQ(chosen(false, &said), 0);
  EXPECT_TRUE(said.starts_with("rows of every age weigh the same: recall@5 on validation is ")) << said;
}

TEST(ChooseHalfLife, WhatIsToldStands) {
  std::string said;
  EXPECT_EQ(chosen(false, &said, "7d"), 7 * kDay);
  EXPECT_EQ(chosen(true, &said, ""), 0);
  EXPECT_TRUE(said.empty());
}

}  // namespace
}  // namespace pagoda::train
