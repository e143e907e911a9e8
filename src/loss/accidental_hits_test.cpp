#include "loss/accidental_hits.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "core/rng.h"

namespace pagoda::loss {
namespace {

using Columns = std::vector<uint32_t>;

Columns of_row(const math::Ragged<uint32_t>& masked, size_t row) { return {masked[row].begin(), masked[row].end()}; }

TEST(AccidentalHits, TheSameItemInAnotherColumnIsNoNegative) {
  const Columns users{0, 1, 2}, items{5, 6, 5, 9, 6};  // columns 3 and 4 are drawn
  const math::Ragged<uint32_t> positives{{0, 1, 2, 3}, {0, 1, 2}};
  const auto masked = accidental_hits(users, positives, items);
  EXPECT_EQ(of_row(masked, 0), (Columns{2}));
  EXPECT_EQ(of_row(masked, 1), (Columns{4}));
  EXPECT_EQ(of_row(masked, 2), (Columns{0}));
}

TEST(AccidentalHits, AnotherPositiveOfTheSameUserIsNoNegativeInWhateverColumnItLies) {
  const Columns users{7, 8, 7}, items{1, 2, 3, 3, 1};
  const math::Ragged<uint32_t> positives{{0, 1, 2, 3}, {0, 1, 2}};
  const auto masked = accidental_hits(users, positives, items);
  EXPECT_EQ(of_row(masked, 0), (Columns{2, 3, 4}));
  EXPECT_EQ(of_row(masked, 1), (Columns{}));
  EXPECT_EQ(of_row(masked, 2), (Columns{0, 3, 4}));
}

TEST(AccidentalHits, RowsOfNoKnownUserShareWithNobody) {
  const Columns users{kNoUser, kNoUser}, items{1, 2};
  const math::Ragged<uint32_t> positives{{0, 1, 2}, {0, 1}};
  const auto masked = accidental_hits(users, positives, items);
  EXPECT_EQ(masked.size(), 2u);
  EXPECT_TRUE(masked.values.empty());
}

TEST(AccidentalHits, AnEmptyBatchHasNone) { EXPECT_EQ(accidental_hits({}, {}, {}).size(), 0u); }

TEST(AccidentalHits, AgreeWithEveryPairLookedAt) {
  for (uint64_t trial = 0; trial < 60; ++trial) {
    Rng rng(trial, Stream::test);
    const size_t batch = rng.below(12), columns = 1 + rng.below(30), catalogue = 1 + rng.below(20);
    Columns users, items;
    math::Ragged<uint32_t> positives;
    for (size_t j = 0; j < columns; ++j) items.push_back(static_cast<uint32_t>(rng.below(catalogue)));
    if (trial % 3 == 0) std::ranges::sort(items);
    for (size_t i = 0; i < batch; ++i) {
      users.push_back(rng.below(4) == 0 ? kNoUser : static_cast<uint32_t>(rng.below(5)));
      for (size_t k = 0, n = rng.below(4); k < n; ++k)
        positives.values.push_back(static_cast<uint32_t>(rng.below(columns)));
      positives.close();
    }
    const auto masked = accidental_hits(users, positives, items);
    ASSERT_EQ(masked.size(), batch);
    for (size_t i = 0; i < batch; ++i) {
      Columns expected;
      for (uint32_t j = 0; j < columns; ++j) {
        bool hit = false;
        for (size_t other = 0; other < batch; ++other) {
          const bool same_user = other == i || (users[i] != kNoUser && users[i] == users[other]);
          for (const uint32_t p : positives[other]) hit |= same_user && items[p] == items[j];
        }
        if (hit && std::ranges::find(positives[i], j) == positives[i].end()) expected.push_back(j);
      }
      ASSERT_EQ(of_row(masked, i), expected) << "trial " << trial << " row " << i;
    }
  }
}

TEST(AccidentalHits, KnownItemsAreMaskedInEveryColumnThatHoldsThem) {
  // Row 0 has the positive in column 0 and knows items 7 and 9; row 1 the positive in column 1 and knows item 5, its
  // own.
  const std::vector<uint32_t> items{3, 5, 7, 9, 7, 5};
  math::Ragged<uint32_t> known, positives, masked;
  known.push(std::vector<uint32_t>{7, 9});
  known.push(std::vector<uint32_t>{5});
  positives.push(std::vector<uint32_t>{0});
  positives.push(std::vector<uint32_t>{1});
  masked.push(std::vector<uint32_t>{1, 3});
  masked.push({});
  mask_known(known, positives, items, masked);
  EXPECT_EQ(masked.offsets, (std::vector<uint64_t>{0, 4, 5}));
  EXPECT_EQ(masked.values, (std::vector<uint32_t>{1, 2, 3, 4, 5}));
}

}  // namespace
}  // namespace pagoda::loss
