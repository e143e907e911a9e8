#include "model/neighbours.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <map>

#include "core/bytes.h"
#include "core/error.h"
#include "core/rng.h"

namespace pagoda::model {
namespace {

math::Ragged<Neighbour> lists(const std::vector<std::vector<Neighbour>>& of) {
  math::Ragged<Neighbour> out;
  for (const auto& list : of) out.push(list);
  return out;
}

math::Ragged<uint32_t> histories_of(const std::vector<std::vector<uint32_t>>& of) {
  math::Ragged<uint32_t> out;
  for (const auto& list : of) out.push(list);
  return out;
}

index::Boosts boosts_of(const Neighbours& neighbours, const std::vector<uint32_t>& history) {
  index::Boosts boosts;
  neighbours.add_boosts(history, boosts);
  return boosts;
}

TEST(Neighbours, ALiteralCase) {
  // Items 0 and 1 both have item 2; item 1 stands in the history and does not count for the scale.
  const Neighbours neighbours(lists({{{1, 0.5f}, {2, 0.25f}}, {{2, 0.5f}, {3, 0.25f}}, {}, {}}),
                              {NeighbourKind::cosine, 0.6}, 10);
  const auto boosts = boosts_of(neighbours, {1, 0});
  EXPECT_EQ(boosts.rows.values, (std::vector<uint32_t>{1, 2, 3}));
  const double scale = (0.75 + 0.25) / 2;
  EXPECT_FLOAT_EQ(boosts.amounts[0], static_cast<float>(0.6 * 0.5 / scale));
  EXPECT_FLOAT_EQ(boosts.amounts[1], static_cast<float>(0.6 * 0.75 / scale));
  EXPECT_FLOAT_EQ(boosts.amounts[2], static_cast<float>(0.6 * 0.25 / scale));
  EXPECT_TRUE(boosts_of(neighbours, {}).rows.values.empty());
  EXPECT_TRUE(boosts_of(neighbours, {2, 3}).rows.values.empty());
}

TEST(Neighbours, WhatSpeaksAgainstAnItemTakesFromTheSumAndNotFromTheScore) {
  const Neighbours neighbours(lists({{{2, 0.5f}, {3, 0.25f}}, {{2, -0.25f}, {3, -0.5f}}, {}, {}}),
                              {NeighbourKind::ease, 0.6}, 10);
  const auto boosts = boosts_of(neighbours, {0, 1});
  EXPECT_EQ(boosts.rows.values, (std::vector<uint32_t>{2}));
  EXPECT_FLOAT_EQ(boosts.amounts[0], 0.6f);
}

TEST(Neighbours, OnlyTheLatestItemsOfAHistoryCount) {
  const Neighbours neighbours(lists({{{3, 1}}, {{4, 1}}, {{4, 1}}, {}, {}}), {NeighbourKind::cosine, 1}, 2);
  EXPECT_EQ(boosts_of(neighbours, {0, 1, 2}).rows.values, (std::vector<uint32_t>{4}));
  EXPECT_EQ(boosts_of(neighbours, {1, 2, 0}).rows.values, (std::vector<uint32_t>{3, 4}));
}

// Random lists against sums over the whole catalogue, and no bit depends on threads or on the order of a history.
TEST(Neighbours, AgreeWithTheFormulaOnRandomLists) {
  constexpr uint32_t kItems = 300;
  Rng rng(4, Stream::test);
  std::vector<std::vector<Neighbour>> of(kItems);
  for (uint32_t item = 0; item < kItems; ++item)
    for (uint32_t other = 0; other < kItems; ++other)
      if (other != item && rng.below(6) == 0) of[item].push_back({other, static_cast<float>(rng.uniform())});
  const Neighbours neighbours(lists(of), {NeighbourKind::swing, 0.3}, 40);
  std::vector<std::vector<uint32_t>> histories(150);
  for (auto& history : histories)
    for (size_t n = rng.below(60); n > 0; --n) history.push_back(static_cast<uint32_t>(rng.below(kItems)));
  ThreadPool one(1), three(3);
  const auto boosts = neighbours.boosts(one, histories_of(histories));
  const auto again = neighbours.boosts(three, histories_of(histories));
  EXPECT_EQ(boosts.rows.values, again.rows.values);
  EXPECT_EQ(boosts.amounts, again.amounts);
  for (size_t user = 0; user < histories.size(); ++user) {
    std::vector<uint32_t> latest;
    for (auto item = histories[user].rbegin(); item != histories[user].rend(); ++item)
      if (std::ranges::find(latest, *item) == latest.end() && latest.size() < 40) latest.push_back(*item);
    std::map<uint32_t, double> sums;
    for (const uint32_t item : latest)
      for (const auto& [other, similarity] : of[item]) sums[other] += similarity;
    std::vector<double> outside;
    for (const auto& [item, sum] : sums)
      if (std::ranges::find(latest, item) == latest.end()) outside.push_back(-sum);
    std::ranges::sort(outside);
    outside.resize(std::min<size_t>(outside.size(), 20));
    double scale = 0;
    for (const double minus : outside) scale -= minus / static_cast<double>(outside.size());
    const auto rows = boosts.rows[user];
    ASSERT_EQ(rows.size(), sums.size());
    size_t at = 0;
    for (const auto& [item, sum] : sums) {
      EXPECT_EQ(rows[at], item);
      EXPECT_NEAR(boosts.amounts[boosts.rows.offsets[user] + at++], 0.3 * sum / scale, 1e-5);
    }
    if (histories[user].size() > 40) continue;
    auto turned = histories[user];
    std::ranges::reverse(turned);
    const auto other_way = boosts_of(neighbours, turned);
    EXPECT_TRUE(std::ranges::equal(
        other_way.amounts, std::span(boosts.amounts).subspan(boosts.rows.offsets[user], other_way.amounts.size())));
  }
}

TEST(Neighbours, AtMostSoManyItemsAreBoostedThoseWithTheLargestSums) {
  const uint32_t items = Neighbours::kMost + 100;
  std::vector<std::vector<Neighbour>> of(items);
  for (uint32_t other = 1; other < items; ++other) of[0].push_back({other, static_cast<float>(other)});
  const auto boosts = boosts_of(Neighbours(lists(of), {NeighbourKind::swing, 1}, 10), {0});
  ASSERT_EQ(boosts.rows.values.size(), Neighbours::kMost);
  EXPECT_EQ(boosts.rows.values.front(), items - Neighbours::kMost);
}

class SavedNeighbours : public testing::Test {
 protected:
  ~SavedNeighbours() override { std::filesystem::remove(path_); }
  const std::string path_ = testing::TempDir() + "neighbours_" + std::to_string(::getpid());
};

TEST_F(SavedNeighbours, ComeBackAsTheyWere) {
  const Neighbours neighbours(lists({{{1, 0.5f}, {2, 0.25f}}, {}, {{0, 0.125f}}}), {NeighbourKind::swing, 0.75}, 7);
  {
    SectionWriter out(path_, "test", 1);
    neighbours.save(out);
    out.commit();
  }
  const SectionFile file(path_, "test", 1);
  const auto loaded = Neighbours::load(file, 3);
  ASSERT_TRUE(loaded);
  EXPECT_EQ(loaded->weight(), 0.75);
  EXPECT_EQ(loaded->choice().kind, NeighbourKind::swing);
  for (uint32_t item = 0; item < 3; ++item) EXPECT_TRUE(std::ranges::equal(loaded->of(item), neighbours.of(item)));
  EXPECT_EQ(boosts_of(*loaded, {0}).amounts, boosts_of(neighbours, {0}).amounts);
  EXPECT_THROW(Neighbours::load(file, 4), Error);
}

TEST_F(SavedNeighbours, OfAForgedFileAreRefused) {
  struct Case {
    std::vector<uint64_t> offsets;
    std::vector<Neighbour> of;
  };
  const std::vector<Case> cases{{{0, 1, 1}, {{2, 0.5f}}},   // no such item
                                {{0, 2, 1}, {{1, 0.5f}}},   // offsets fall
                                {{0, 1, 3}, {{1, 0.5f}}},   // beyond the end
                                {{1, 1, 1}, {{1, 0.5f}}},   // do not begin at 0
                                {{0, 1, 1}, {{1, -0.5f}}},  // below 0
                                {{0, 1, 1}, {{1, std::nanf("")}}}};
  for (const auto& one : cases) {
    {
      SectionWriter out(path_, "test", 1);
      ByteWriter head;
      head.value(0.5);
      head.value<uint64_t>(3);
      head.value(NeighbourKind::cosine);
      out.section("neighbours", head.bytes());
      out.section("neighbours/offsets", std::as_bytes(std::span(one.offsets)));
      out.section("neighbours/of", std::as_bytes(std::span(one.of)));
      out.commit();
    }
    EXPECT_THROW(Neighbours::load(SectionFile(path_, "test", 1), 2), Error);
  }
}

}  // namespace
}  // namespace pagoda::model
