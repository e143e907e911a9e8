#include "tune/importance.h"

#include <gtest/gtest.h>

#include "core/rng.h"

namespace pagoda::tune {
namespace {

TEST(Ranks, equal_values_share_their_mean) {
  const std::vector<double> values{5, 1, 5, 9};
  EXPECT_EQ(ranks_of(values), (std::vector<double>{1.5, 0, 1.5, 3}));
}

TEST(Importance, a_key_that_decides_all_explains_all_of_it_and_says_which_way) {
  KeyTrials trials;
  for (size_t i = 0; i < 24; ++i) {
    trials.levels.push_back(i / 8);
    trials.values.push_back(static_cast<double>(i / 8));
  }
  const auto found = importance_of(trials, 1);
  ASSERT_TRUE(found);
  EXPECT_NEAR(found->explained, 1, 1e-12);
  EXPECT_LT(found->chance, 0.01);
  EXPECT_NEAR(*found->direction, 1, 1e-12);
  EXPECT_GT(found->direction_interval.low, 0.99);
}

TEST(Importance, a_best_value_in_the_middle_is_seen_though_it_has_no_direction) {
  KeyTrials trials;
  for (size_t i = 0; i < 27; ++i) {
    trials.levels.push_back(i / 3);  // nine levels
    trials.values.push_back(i >= 9 && i < 18 ? 1 : 0);
  }
  const auto found = importance_of(trials, 1);
  ASSERT_TRUE(found);
  EXPECT_GT(found->explained, 0.9);
  EXPECT_LT(found->chance, 0.01);
  EXPECT_NEAR(*found->direction, 0, 0.05);
  EXPECT_LT(found->direction_interval.low, 0);
  EXPECT_GT(found->direction_interval.high, 0);
}

TEST(Importance, an_unordered_key_has_no_direction) {
  const KeyTrials trials{.levels = {0, 1, 0, 1, 0, 1, 0, 1}, .values = {1, 5, 2, 6, 3, 7, 4, 8}, .ordered = false};
  const auto found = importance_of(trials, 1);
  ASSERT_TRUE(found);
  // Ranks 0 2 4 6 against 1 3 5 7 would be 0.05; these are 0 1 2 3 against 4 5 6 7: between 32 of 42.
  EXPECT_NEAR(found->explained, 32.0 / 42, 1e-12);
  EXPECT_FALSE(found->direction);
}

// Of keys that mean nothing, about one in twenty is below 0.05, and what they explain is what chance explains.
TEST(Importance, keys_without_a_meaning_are_told_by_chance) {
  size_t below = 0;
  constexpr uint64_t kKeys = 200;
  for (uint64_t k = 0; k < kKeys; ++k) {
    Rng rng(k, Stream::test);
    KeyTrials trials{.levels = {}, .values = {}, .ordered = false};
    for (size_t i = 0; i < 20; ++i) {
      trials.levels.push_back(rng.below(3));
      trials.values.push_back(rng.uniform());
    }
    const auto found = importance_of(trials, k);
    ASSERT_TRUE(found);
    if (found->chance < 0.05) ++below;
  }
  EXPECT_LE(below, 22u);
  EXPECT_GE(below, 2u);
}

TEST(Importance, nothing_is_said_of_few_trials_or_of_one_level) {
  EXPECT_FALSE(importance_of({.levels = {0, 1, 0, 1}, .values = {1, 2, 3, 4}}, 1));
  EXPECT_FALSE(importance_of({.levels = std::vector<size_t>(20, 1), .values = std::vector<double>(20, 1)}, 1));
}

TEST(Importance, the_same_seed_gives_the_same_figures) {
  KeyTrials trials;
  for (size_t i = 0; i < 15; ++i) {
    trials.levels.push_back(i % 4);
    trials.values.push_back(static_cast<double>(i * i % 7));
  }
  const auto a = importance_of(trials, 3), b = importance_of(trials, 3);
  EXPECT_EQ(a->chance, b->chance);
  EXPECT_EQ(a->direction_interval.low, b->direction_interval.low);
}

}  // namespace
}  // namespace pagoda::tune
