#include "loss/accidental_hits.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "core/rng.h"

namespace pagoda::loss {
namespace {

using Columns = std::vector<uint32_t>;

Columns of_row(const math::Ragged<uint32_t>& masked, size_t row) { return {masked[row].begin(), masked[row].end()}; }

TEST(AccidentalHits, TheSameItemInAnotherColumnIsNoNegative) {
  ThreadPool pool(2);
  const Columns users{0, 1, 2}, items{5, 6, 5, 9, 6};  // columns 3 and 4 are drawn
  const math::Ragged<uint32_t> positives{{0, 1, 2, 3}, {0, 1, 2}};
  const auto masked = accidental_hits(pool, users, positives, items);
  EXPECT_EQ(of_row(masked, 0), (Columns{2}));
  EXPECT_EQ(of_row(masked, 1), (Columns{4}));
  EXPECT_EQ(of_row(masked, 2), (Columns{0}));
}

TEST(AccidentalHits, AnotherPositiveOfTheSameUserIsNoNegativeInWhateverColumnItLies) {
  ThreadPool pool(2);
  const Columns users{7, 8, 7}, items{1, 2, 3, 3, 1};
  const math::Ragged<uint32_t> positives{{0, 1, 2, 3}, {0, 1, 2}};
  const auto masked = accidental_hits(pool, users, positives, items);
  EXPECT_EQ(of_row(masked, 0), (Columns{2, 3, 4}));
  EXPECT_EQ(of_row(masked, 1), (Columns{}));
  EXPECT_EQ(of_row(masked, 2), (Columns{0, 3, 4}));
}

TEST(AccidentalHits, RowsOfNoKnownUserShareWithNobody) {
  ThreadPool pool(2);
  const Columns users{kNoUser, kNoUser}, items{1, 2};
  const math::Ragged<uint32_t> positives{{0, 1, 2}, {0, 1}};
  const auto masked = accidental_hits(pool, users, positives, items);
  EXPECT_EQ(masked.size(), 2u);
  EXPECT_TRUE(masked.values.empty());
}

TEST(AccidentalHits, AnEmptyBatchHasNone) {
  ThreadPool pool(2);
  EXPECT_EQ(accidental_hits(pool, {}, {}, {}).size(), 0u);
}

TEST(AccidentalHits, AgreeWithEveryPairLookedAt) {
  ThreadPool pool(2);
  for (uint64_t trial = 0; trial < 90; ++trial) {
    Rng rng(trial, Stream::test);
    const size_t batch = rng.below(trial % 2 ? 12 : 150), columns = 1 + rng.below(trial % 5 ? 30 : 200);
    const size_t catalogue = 1 + rng.below(20), people = 1 + rng.below(trial % 2 ? 5 : 100);
    const bool with_known = trial % 4 < 2;
    Columns users, items;
    math::Ragged<uint32_t> positives, known;
    for (size_t j = 0; j < columns; ++j) items.push_back(static_cast<uint32_t>(rng.below(catalogue)));
    if (trial % 3 == 0) std::ranges::sort(items);
    for (size_t i = 0; i < batch; ++i) {
      users.push_back(rng.below(4) == 0 ? kNoUser : static_cast<uint32_t>(rng.below(people)));
      for (size_t k = 0, n = rng.below(4); k < n; ++k)
        positives.values.push_back(static_cast<uint32_t>(rng.below(columns)));
      positives.close();
      for (size_t k = 0, n = rng.below(6); k < n; ++k)  // some of them are in no column
        known.values.push_back(static_cast<uint32_t>(rng.below(2 * catalogue)));
      known.close();
    }
    const auto masked = accidental_hits(pool, users, positives, items, with_known ? &known : nullptr);
    ASSERT_EQ(masked.size(), batch);
    for (size_t i = 0; i < batch; ++i) {
      Columns expected;
      for (uint32_t j = 0; j < columns; ++j) {
        bool hit = with_known && std::ranges::find(std::as_const(known)[i], items[j]) != std::as_const(known)[i].end();
        for (size_t other = 0; other < batch; ++other) {
          const bool same_user = other == i || (users[i] != kNoUser && users[i] == users[other]);
          for (const uint32_t p : std::as_const(positives)[other]) hit |= same_user && items[p] == items[j];
        }
        if (hit && std::ranges::find(positives[i], j) == positives[i].end()) expected.push_back(j);
      }
      ASSERT_EQ(of_row(masked, i), expected) << "trial " << trial << " row " << i;
    }
  }
}

TEST(AccidentalHits, KnownItemsAreMaskedInEveryColumnThatHoldsThem) {
  ThreadPool pool(2);
  // Row 0 has the positive in column 0 and knows items 7 and 9; row 1 the positive in column 1 and knows item 5, its
  // own.
  const Columns users{0, 1}, items{3, 5, 7, 9, 7, 5};
  const math::Ragged<uint32_t> known{{0, 2, 3}, {9, 7, 5}}, positives{{0, 1, 2}, {0, 1}};
  const auto masked = accidental_hits(pool, users, positives, items, &known);
  EXPECT_EQ(masked.offsets, (std::vector<uint64_t>{0, 3, 4}));
  EXPECT_EQ(masked.values, (Columns{2, 3, 4, 5}));
}

}  // namespace
}  // namespace pagoda::loss
