#include "stream/event_order.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "core/rng.h"

namespace pagoda::stream {
namespace {

constexpr size_t kAll = SIZE_MAX;

// A partition's messages, one event each: its name is partition and offset.
struct Line {
  int64_t offset, time_us;
};
using Lines = std::vector<std::vector<Line>>;  // per partition

void add(EventOrder& order, uint32_t partition, Line line) {
  const Message message{partition, line.offset, line.offset + 1, ""};
  Event event{.partition = partition,
              .offset = line.offset,
              .user = "u",
              .item = fmt::format("{}:{}", partition, line.offset),
              .time_us = line.time_us,
              .context = {}};
  std::vector<DecodedMessage> decoded(1);
  decoded[0].events.push_back(std::move(event));
  order.add({message}, std::move(decoded));
}

std::vector<std::string> taken(EventOrder& order, size_t batch = 1, size_t rows = kAll, bool short_too = true) {
  std::vector<std::string> out;
  while (true) {
    const auto events = order.take({.batch = batch, .max_rows = rows, .short_too = short_too});
    if (events.empty()) return out;
    for (const auto& event : events) out.push_back(event.item);
  }
}

using Names = std::vector<std::string>;

TEST(EventOrder, WaitsForTheWatermarksOfAllPartitions) {
  EventOrder order({.lateness_us = 0}, {});
  order.add_partition("a");
  order.add_partition("b");
  add(order, 0, {0, 10});
  add(order, 0, {1, 30});
  EXPECT_EQ(taken(order), Names{}) << "nothing is known of b";
  add(order, 1, {0, 20});
  EXPECT_EQ(taken(order), (Names{"0:0", "1:0"})) << "b may still bring events of 20";
  EXPECT_EQ(order.watermark_us(), 20);
  order.set_idle(1, true);
  EXPECT_EQ(taken(order), Names{"0:1"});
  EXPECT_EQ(order.waiting(), 0u);
}

TEST(EventOrder, ALatenessKeepsEventsBackAndPutsThemInOrder) {
  EventOrder order({.lateness_us = 10}, {});
  order.add_partition("a");
  add(order, 0, {0, 20});
  add(order, 0, {1, 12});
  EXPECT_EQ(taken(order), Names{});
  add(order, 0, {2, 24});
  EXPECT_EQ(taken(order), Names{"0:1"}) << "below 24 - 10";
  order.end();
  EXPECT_EQ(taken(order), (Names{"0:0", "0:2"}));
}

TEST(EventOrder, AnEventBelowTheWatermarkIsDroppedOrMovedAndCounted) {
  for (const auto late : {train::LateEvents::drop, train::LateEvents::move}) {
    EventOrder order({.lateness_us = 5, .late = late}, {});
    order.add_partition("a");
    add(order, 0, {0, 100});
    add(order, 0, {1, 94});
    add(order, 0, {2, 95});
    order.end();
    const auto events = order.take({.batch = 1, .max_rows = kAll});
    EXPECT_EQ(order.standing().late, 1u);
    ASSERT_EQ(events.size(), late == train::LateEvents::drop ? 2u : 3u);
    EXPECT_EQ(events[0].item, late == train::LateEvents::drop ? "0:2" : "0:1");
    EXPECT_EQ(events[0].time_us, 95) << "the earliest moment that is open";
  }
}

TEST(EventOrder, TakesWholeBatchesOfExamples) {
  EventOrder order({}, {});
  order.add_partition("a");
  for (int64_t i = 0; i < 10; ++i) add(order, 0, {i, i});
  order.end();
  const auto even = [](const Event& event) { return event.offset % 2 == 0; };
  auto events = order.take({.batch = 2, .max_rows = 1, .short_too = false, .is_example = even});
  EXPECT_EQ(events.size(), 3u) << "0 and 2, and what lies between them";
  events = order.take({.batch = 2, .max_rows = kAll, .short_too = false, .is_example = even});
  EXPECT_EQ(events.size(), 5u) << "4 and 6 with their neighbours; 8 waits for another";
  EXPECT_TRUE(order.take({.batch = 2, .max_rows = kAll, .short_too = false, .is_example = even}).empty());
  EXPECT_EQ(order.take({.batch = 2, .max_rows = kAll, .short_too = true, .is_example = even}).size(), 2u);
}

TEST(EventOrder, KnowsWhoIsBehindWhileMoreIsWanted) {
  using Marks = std::vector<bool>;
  EventOrder order({.lateness_us = 10}, {});
  for (const char* name : {"a", "b", "c"}) order.add_partition(name);
  EXPECT_FALSE(order.wants_more());
  add(order, 0, {0, 50});
  EXPECT_EQ(order.behind(), (Marks{false, true, true})) << "without an event";
  add(order, 1, {0, 20});
  add(order, 2, {0, 20});
  EXPECT_EQ(order.behind(), (Marks{false, true, true}));
  order.wait(2, std::chrono::milliseconds(0));
  EXPECT_TRUE(order.wants_more());
  add(order, 1, {1, 70});
  add(order, 2, {1, 40});
  EXPECT_EQ(order.behind(), (Marks{false, false, true}));
  EXPECT_FALSE(order.wants_more()) << "two at 20, below 40 - 10";
  EXPECT_EQ(taken(order).size(), 2u);
  EXPECT_FALSE(order.wants_more()) << "until it is said again";
  order.set_idle(2, true);
  EXPECT_EQ(order.behind(), (Marks{true, false, false})) << "nobody waits for one that is idle";
  order.set_idle(0, true);
  order.set_idle(1, true);
  EXPECT_EQ(order.behind(), (Marks{true, true, true}));
}

// Messages with times that are out of order by less than `lateness`, and now and then by more.
Lines random_lines(Rng& rng, size_t partitions, size_t messages) {
  Lines lines(partitions);
  for (auto& partition : lines)
    for (size_t i = 0; i < messages; ++i) {
      const auto jitter = static_cast<int64_t>(rng.below(rng.below(20) == 0 ? 60 : 15));
      partition.push_back({static_cast<int64_t>(3 * i), static_cast<int64_t>(5 * i) - jitter});
    }
  return lines;
}

TEST(EventOrder, TheOrderIsThatOfTheMessagesHoweverTheyArriveAndWhereverItIsCut) {
  Rng rng(7, Stream::test);
  for (const auto late : {train::LateEvents::drop, train::LateEvents::move}) {
    const auto lines = random_lines(rng, 3, 200);
    const OrderOptions options{.lateness_us = 20, .late = late};
    Names expected;
    uint64_t late_events = 0;
    for (int trial = 0; trial < 30; ++trial) {
      Standing standing;
      Names all;
      std::vector<size_t> read(lines.size(), 0);
      while (true) {
        EventOrder order(options, standing);
        for (uint32_t p = 0; p < lines.size(); ++p) order.add_partition(fmt::format("p{}", p));
        // Reads on from where the standing says, some messages of some partition at a time.
        for (uint32_t p = 0; p < lines.size(); ++p) {
          const auto position = standing.positions.find(fmt::format("p{}", p));
          const int64_t next = position == standing.positions.end() ? 0 : position->second.next;
          read[p] = static_cast<size_t>(std::ranges::lower_bound(lines[p], next, {}, &Line::offset) - lines[p].begin());
        }
        const size_t stop = trial == 0 ? kAll : 50 + rng.below(300);  // messages before it is killed
        size_t n = 0;
        const auto left = [&] {
          for (size_t p = 0; p < lines.size(); ++p)
            if (read[p] < lines[p].size()) return true;
          return false;
        };
        while (left() && n < stop) {
          const auto p = static_cast<uint32_t>(rng.below(lines.size()));
          for (size_t k = 1 + rng.below(9); k > 0 && read[p] < lines[p].size(); --k, ++n)
            add(order, p, lines[p][read[p]++]);
          if (rng.below(3) == 0) {
            for (auto& one : order.take({.batch = 4, .max_rows = 1 + rng.below(30)})) all.push_back(one.item);
            standing = order.standing();
          }
        }
        if (left()) continue;
        order.end();
        const auto rest = taken(order);
        all.insert(all.end(), rest.begin(), rest.end());
        standing = order.standing();
        break;
      }
      if (trial == 0) {
        expected = all;
        late_events = standing.late;
        EXPECT_GT(late_events, 3u);
        EXPECT_EQ(all.size(), late == train::LateEvents::drop ? 600 - late_events : 600u);
      }
      ASSERT_EQ(all, expected);
      EXPECT_EQ(standing.events, all.size());
      EXPECT_EQ(standing.late, late_events) << "none is counted twice";
      for (const auto& [name, position] : standing.positions) {
        EXPECT_EQ(position.next, 3 * 199 + 1) << "all is learnt";
        EXPECT_TRUE(position.done.empty());
      }
    }
  }
}

TEST(EventOrder, BadMessagesAreNotWaitedForAndCountedOnce) {
  EventOrder order({}, {});
  order.add_partition("a");
  order.add({{0, 0, 1, ""}}, {{.events = {}, .rows = 1, .bad = 1}});
  add(order, 0, {1, 10});
  order.add({{0, 2, 3, ""}}, {{.events = {}, .rows = 1, .bad = 1}});
  const auto standing = order.standing();
  EXPECT_EQ(standing.bad, 2u);
  EXPECT_EQ(standing.positions.at("a").next, 1);
  EXPECT_EQ(standing.positions.at("a").done.size(), 1u) << "the bad one behind it";
  EventOrder again({}, standing);
  again.add_partition("a");
  add(again, 0, {1, 10});
  again.add({{0, 2, 3, ""}}, {{.events = {}, .rows = 1, .bad = 1}});
  EXPECT_EQ(again.standing().bad, 2u);
  again.end();
  EXPECT_EQ(taken(again), Names{"0:1"});
}

// Rows 0 to 4 of the message at offset 7: one is bad, one no positive, and the last is out of order within the lateness.
void add_rows(EventOrder& order) {
  DecodedMessage decoded{.events = {}, .rows = 5, .bad = 1, .not_positive = 1};
  for (const auto& [row, time_us] : {std::pair<uint32_t, int64_t>{0, 10}, {2, 30}, {4, 20}})
    decoded.events.push_back({.partition = 0,
                              .offset = 7,
                              .row = row,
                              .user = "u",
                              .item = fmt::format("row {}", row),
                              .time_us = time_us,
                              .context = {}});
  order.add({{0, 7, 8, ""}}, {decoded});
}

TEST(EventOrder, RowsOfAMessageAreLearntOneByOneAndOnceHoweverOftenItIsRead) {
  const OrderOptions options{.lateness_us = 15};
  for (size_t before = 0; before <= 3; ++before) {
    EventOrder order(options, {});
    order.add_partition("a", 7);
    add_rows(order);
    order.end();
    Names all;
    for (size_t n = 0; n < before; ++n) all.push_back(order.take({.batch = 1, .max_rows = 1}).at(0).item);
    const auto standing = order.standing();
    EXPECT_EQ(standing.positions.at("a").next, before == 3 ? 8 : 7);
    EventOrder again(options, standing);
    again.add_partition("a");
    if (before < 3) add_rows(again);
    again.end();
    for (const auto& item : taken(again)) all.push_back(item);
    EXPECT_EQ(all, (Names{"row 0", "row 4", "row 2"})) << before;
    EXPECT_EQ(again.standing().bad, 1u);
    EXPECT_EQ(again.standing().not_positive, 1u);
    EXPECT_EQ(again.standing().events, 3u);
    EXPECT_EQ(again.standing().positions.at("a").next, 8);
  }
}

TEST(EventOrder, AMessageWithoutRowsIsDone) {
  EventOrder order({}, {});
  order.add_partition("a");
  order.add({{0, 0, 1, ""}}, {{.events = {}, .rows = 0}});
  EXPECT_EQ(order.standing().positions.at("a").next, 1);
}

}  // namespace
}  // namespace pagoda::stream
