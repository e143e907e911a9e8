#include "dataset/half_life.h"

#include <gtest/gtest.h>

#include "dataset/dataset_test.h"

namespace pagoda::dataset {
namespace {

constexpr int64_t kDay = int64_t{86400} * 1000000;

// 100 days of 40 rows; what is popular changes every `changes` days (0: never). The last five days are validation.
Dataset log_of(int changes) {
  Dataset d;
  for (int day = 0; day < 100; ++day)
    for (int row = 0; row < 40; ++row) {
      const int popular = changes > 0 ? day / changes % 20 : 3;
      const int item = row % 2 ? popular : (day * 7 + row) % 20;
      d.log.user.push_back(d.log.users.add(std::to_string(row)));
      d.log.item.push_back(d.log.items.add(std::to_string(item)));
      d.log.time_us.push_back(day * kDay + row);
      d.parts.push_back(day < 95 ? data::Part::train : data::Part::validation);
    }
  for (uint32_t i = 0; i < d.log.items.size(); ++i) {
    d.catalogue.add(d.log.items[i]);
    d.item_row.push_back(i);
  }
  d.train_end_us = 95 * kDay;
  return d;
}

TEST(HalfLife, AWeightHalvesWithIt) {
  EXPECT_DOUBLE_EQ(age_weight(0, kDay), 1);
  EXPECT_DOUBLE_EQ(age_weight(kDay, kDay), 0.5);
  EXPECT_DOUBLE_EQ(age_weight(3 * kDay, kDay), 0.125);
  EXPECT_GT(age_weight(1000 * kDay, kDay), 0) << "a weight is never 0";
}

TEST(HalfLife, ItIsAsLongAsWhatIsPopularStays) {
  std::string said;
  const auto slow = log_of(0);
  EXPECT_EQ(find_half_life(slow, "auto", &said), 0);
  EXPECT_NE(said.find("weigh the same"), std::string::npos);
  const auto fast = log_of(10);
  const auto found = find_half_life(fast, "auto", &said);
  EXPECT_GT(found, kDay / 4);
  EXPECT_LT(found, 10 * kDay);
  EXPECT_NE(said.find("weighs half"), std::string::npos);
}

TEST(HalfLife, WhatIsToldStands) {
  std::string said;
  const auto d = log_of(10);
  EXPECT_EQ(find_half_life(d, "", &said), 0);
  EXPECT_EQ(find_half_life(d, "7d", &said), 7 * kDay);
  EXPECT_TRUE(said.empty());
  auto timeless = log_of(10);
  timeless.log.time_us.clear();
  EXPECT_EQ(find_half_life(timeless, "auto", &said), 0);
  auto unheld = log_of(10);
  std::ranges::fill(unheld.parts, data::Part::train);
  EXPECT_EQ(find_half_life(unheld, "auto", &said), 0) << "nothing to foretell";
}

}  // namespace
}  // namespace pagoda::dataset
