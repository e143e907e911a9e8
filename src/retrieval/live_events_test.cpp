#include "retrieval/live_events.h"

#include <gtest/gtest.h>

#include <fstream>

#include "retrieval/event_journal.h"
#include "retrieval/retrieval_test.h"

namespace pagoda::retrieval {
namespace {

LiveEvent event(const std::string& user, const std::string& item, int64_t time_us, const std::string& id = "") {
  return {.user = user, .item = item, .time_us = time_us, .id = id};
}

std::vector<std::string> items_of(const LiveEvents& events, const std::string& user) {
  std::vector<std::string> items;
  for (const auto& one : events.of_user(user)) items.push_back(one.item);
  return items;
}

using Ids = std::vector<std::string>;

TEST(LiveEvents, AreOrderedByTimeAndThoseOfOneTimeByArrival) {
  LiveEvents events({});
  for (const auto& [item, time] : std::vector<std::pair<std::string, int64_t>>{{"c", 5}, {"a", 1}, {"d", 5}, {"b", 3}})
    EXPECT_TRUE(events.add(event("ann", item, time)));
  events.add(event("bob", "z", 2));
  EXPECT_EQ(items_of(events, "ann"), (Ids{"a", "b", "c", "d"}));
  EXPECT_EQ(items_of(events, "nobody"), Ids{});
  Ids arrived;
  for (const auto& one : events.all()) arrived.push_back(one.item);
  EXPECT_EQ(arrived, (Ids{"c", "a", "d", "b", "z"}));
}

TEST(LiveEvents, AnIdCountsOnceAndEventsWithoutOneEachTime) {
  LiveEvents events({});
  EXPECT_TRUE(events.add(event("ann", "a", 1, "e1")));
  EXPECT_FALSE(events.add(event("ann", "a", 1, "e1")));
  EXPECT_TRUE(events.has("e1"));
  EXPECT_FALSE(events.has("e2"));
  EXPECT_TRUE(events.add(event("ann", "a", 1)));
  EXPECT_TRUE(events.add(event("ann", "a", 1)));
  EXPECT_EQ(items_of(events, "ann"), (Ids{"a", "a", "a"}));
}

TEST(LiveEvents, OfAUserTheLatestStay) {
  LiveEvents events({.events_of_user = 2});
  for (int i = 0; i < 5; ++i) events.add(event("ann", std::to_string(i), i, "e" + std::to_string(i)));
  EXPECT_EQ(items_of(events, "ann"), (Ids{"3", "4"}));
  EXPECT_FALSE(events.has("e2")) << "what is let go takes no memory";
  events.add(event("ann", "late", 0));
  EXPECT_EQ(items_of(events, "ann"), (Ids{"3", "4"})) << "by its time it is the oldest";
  EXPECT_EQ(events.counts().events, 2u);
}

TEST(LiveEvents, TheUserWhoWasSilentLongestIsLetGo) {
  LiveEvents events({.events = 4});
  for (const auto* user : {"ann", "bob", "cat", "ann"}) events.add(event(user, "x", 1, user + std::string("-id")));
  events.add(event("ann", "y", 2));
  EXPECT_EQ(events.counts().events, 4u);
  events.add(event("dan", "x", 1));
  EXPECT_EQ(items_of(events, "bob"), Ids{});
  EXPECT_FALSE(events.has("bob-id"));
  EXPECT_EQ(items_of(events, "ann"), (Ids{"x", "y"}));
  const auto counts = events.counts();
  EXPECT_EQ(counts.events, 4u);
  EXPECT_EQ(counts.users, 3u);
  EXPECT_EQ(counts.users_let_go, 1u);
}

class PutInto : public testing::Test {
 protected:
  Retrieval retrieval(const SmallBundle& shape) {
    write_small_bundle(pool_, path_, shape);
    return Retrieval(model::Bundle::open(path_));
  }
  void TearDown() override { std::filesystem::remove(path_); }
  static RetrieveRequest of(const std::string& user) {
    RetrieveRequest request;
    request.user = user;
    return request;
  }
  ThreadPool pool_{1};
  std::string path_ = testing::TempDir() + "pagoda_live_events_" + std::to_string(getpid()) + ".pagoda";
  LiveEvents events_{{}};
};

TEST_F(PutInto, ComeBeforeTheRequestsOwnRecentItems) {
  const auto retrieval = this->retrieval({});
  events_.add(event("ann", "i7", 2));
  events_.add(event("ann", "i8", 1));
  auto request = of("ann");
  request.recent = {"i9"};
  EXPECT_EQ(events_.put_into(request, retrieval), 2u);
  EXPECT_EQ(request.recent, (Ids{"i8", "i7", "i9"}));

  auto with_history = of("ann");
  with_history.history = Ids{"i1"};
  EXPECT_EQ(events_.put_into(with_history, retrieval), 0u) << "the client says what the whole history is";
  EXPECT_EQ(with_history.recent, Ids{});
  RetrieveRequest nobody;
  EXPECT_EQ(events_.put_into(nobody, retrieval), 0u);
  auto bob = of("bob");
  EXPECT_EQ(events_.put_into(bob, retrieval), 0u);
}

TEST_F(PutInto, WhatTheBundleWasTrainedWithIsLeftOut) {
  const auto retrieval = this->retrieval({.moment_us = 100});
  events_.add(event("ann", "i0", 90));   // in ann's history
  events_.add(event("ann", "i1", 110));  // in it, too, and clicked again since
  events_.add(event("ann", "i7", 95));   // came late: the log did not have it
  events_.add(event("ann", "new", 120));
  auto request = of("ann");
  EXPECT_EQ(events_.put_into(request, retrieval), 3u);
  EXPECT_EQ(request.recent, (Ids{"i7", "i1", "new"}));
}

TEST_F(PutInto, WithoutTimesInTheLogAnItemOfTheHistoryIsThatOfTheHistory) {
  const auto retrieval = this->retrieval({});
  events_.add(event("ann", "i0", 1'700'000'000'000'000));
  events_.add(event("ann", "i7", 1'700'000'000'000'000));
  auto request = of("ann");
  EXPECT_EQ(events_.put_into(request, retrieval), 1u);
  EXPECT_EQ(request.recent, Ids{"i7"});
}

TEST_F(PutInto, TheContextIsThatOfTheLatestEventThatTellsIt) {
  const auto retrieval = this->retrieval({});
  events_.add({.user = "ann", .item = "i7", .time_us = 1, .context = {{"device", "tv"}, {"page", "home"}}});
  events_.add({.user = "ann", .item = "i8", .time_us = 2, .context = {{"device", "phone"}}});
  events_.add({.user = "ann", .item = "i0", .time_us = 3, .context = {{"device", "watch"}}});  // the bundle has it
  auto request = of("ann");
  events_.put_into(request, retrieval);
  const decltype(request.context) expected{{"device", "phone"}, {"page", "home"}};
  EXPECT_EQ(request.context, expected);
  auto own = of("ann");
  own.context = {{"device", "tv"}};
  events_.put_into(own, retrieval);
  const decltype(request.context) kept{{"device", "tv"}, {"page", "home"}};
  EXPECT_EQ(own.context, kept);
}

class EventJournalTest : public testing::Test {
 protected:
  void TearDown() override {
    std::filesystem::remove(path_);
    std::filesystem::remove(path_ + ".lock");
  }
  std::vector<LiveEvent> read(const LiveEventsOptions& options = {}) {
    LiveEvents events(options);
    EventJournal(path_, options).read(events);
    return events.all();
  }
  size_t lines() {
    const auto text = read_file(path_);
    return static_cast<size_t>(std::ranges::count(text, '\n'));
  }
  std::string path_ = testing::TempDir() + "pagoda_event_journal_" + std::to_string(getpid());
};

TEST_F(EventJournalTest, WhatIsAppendedIsReadWhole) {
  const std::vector<LiveEvent> events{
      {.user = "ann", .item = "i\"1\"\n", .time_us = -5, .context = {{"device", "tv"}, {"device ", ""}}, .id = "e 1"},
      {.user = "ü", .item = "i2", .time_us = 1'700'000'000'000'001}};
  EXPECT_EQ(read(), std::vector<LiveEvent>{});
  EventJournal(path_, {}).append(events);
  EXPECT_EQ(read(), events);
}

TEST_F(EventJournalTest, ATornLastLineIsRemovedAndAnotherDamageNamesItsLine) {
  EventJournal(path_, {}).append(std::vector<LiveEvent>{event("ann", "i1", 1)});
  std::ofstream(path_, std::ios::app) << R"({"user": "bob", "it)";
  EXPECT_EQ(read().size(), 1u);
  EXPECT_EQ(lines(), 1u);
  std::ofstream(path_, std::ios::app) << "{\"user\": \"bob\"}\n";
  try {
    read();
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.kind(), ErrorKind::failed);
    EXPECT_NE(std::string(e.what()).find(path_ + ":2: is not an event"), std::string::npos) << e.what();
  }
}

TEST_F(EventJournalTest, OneProcessWrites) {
  EventJournal first(path_, {});
  first.append(std::vector<LiveEvent>{event("ann", "i1", 1)});
  EventJournal second(path_, {});
  EXPECT_THROW(second.append(std::vector<LiveEvent>{event("ann", "i2", 2)}), JournalBusy);
  EXPECT_EQ(lines(), 1u);
}

TEST_F(EventJournalTest, CompactionDropsWhatIsLetGoAndKeepsWhatCameMeanwhile) {
  const LiveEventsOptions options{.events = 3, .events_of_user = 2};
  EventJournal journal(path_, options);
  LiveEvents held(options);
  const auto take = [&](const LiveEvent& one) {
    journal.append(std::vector<LiveEvent>{one});
    held.add(one);
  };
  for (int i = 0; i < 20; ++i) take(event(i % 3 ? "ann" : "bob", std::to_string(i), i, "e" + std::to_string(i)));
  EXPECT_EQ(lines(), 20u);
  const auto compaction = journal.start_compaction();
  compaction->write();
  take(event("cat", "meanwhile", 30));
  journal.replace(*compaction);
  EXPECT_EQ(lines(), 4u);
  EXPECT_EQ(read(options), held.all());
}

}  // namespace
}  // namespace pagoda::retrieval
