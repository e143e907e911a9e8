#include "data/event_kinds.h"

#include "data/interactions.h"
#include "formats/formats_test.h"

namespace pagoda::data {
namespace {

class EventKindsTest : public files::FilesTest {
 protected:
  InteractionOptions shop(const std::string& csv) const {
    InteractionOptions o;
    o.paths = {file("log.csv", csv)};
    o.time = "ts";
    o.event = "event";
    o.events = {{.name = "buy"},
                {.name = "cart", .role = EventRole::positive, .weight = 0.25},
                {.name = "view", .role = EventRole::history},
                {.name = "hide", .role = EventRole::negative},
                {.name = "hate", .role = EventRole::negative, .history = true}};
    return o;
  }
  static std::vector<std::string> pairs(const OtherRows& rows) {
    std::vector<std::string> out;
    for (size_t i = 0; i < rows.size(); ++i)
      out.push_back(fmt::format("{} {} {}", rows.users[rows.user[i]], rows.items[rows.item[i]],
                                rows.time_us.empty() ? 0 : rows.time_us[i] / 1000000));
    return out;
  }
};

TEST_F(EventKindsTest, RowsGoWhereTheirKindSays) {
  const auto log = load_interactions(
      shop("user_id,item_id,event,ts\nu,a,view,1\nu,a,buy,2\nv,b,hide,3\nv,c,hate,4\nu,d,cart,5\nw,a,view,6\n"));
  ASSERT_EQ(log.size(), 2u);
  EXPECT_EQ(log.items[log.item[0]], "a");
  EXPECT_EQ(log.items[log.item[1]], "d");
  EXPECT_EQ(log.weight, (std::vector<float>{1, 0.25f}));
  EXPECT_EQ(log.users.size(), 1u);  // v and w did nothing positive
  EXPECT_EQ(pairs(log.shown), (std::vector<std::string>{"v b 3", "v c 4"}));
  ASSERT_EQ(log.events.size(), 2u);  // view, hate
  EXPECT_EQ(pairs(log.events[0]), (std::vector<std::string>{"u a 1", "w a 6"}));
  EXPECT_EQ(pairs(log.events[1]), (std::vector<std::string>{"v c 4"}));
}

TEST_F(EventKindsTest, WeightsOfRowsAndOfKindsMultiply) {
  auto o = shop("user_id,item_id,event,ts,w\nu,a,buy,1,2\nu,b,cart,2,2\nu,c,view,3,\n");
  o.weight = "w";  // a view needs none
  EXPECT_EQ(load_interactions(o).weight, (std::vector<float>{2, 0.5f}));
}

TEST_F(EventKindsTest, KindsByExpressionTakeTheFirstThatHolds) {
  InteractionOptions o;
  o.paths = {file("stars.csv", "user_id,item_id,stars\nu,a,5\nu,b,3\nu,c,1\nu,d,2\nu,e,\n")};
  o.events = {{.name = "disliked", .role = EventRole::negative, .history = true, .when = "stars <= 2"},
              {.name = "liked", .when = "stars >= 4"},
              {.name = "rated", .role = EventRole::history, .when = "stars is not null"}};
  testing::internal::CaptureStderr();
  const auto log = load_interactions(o);
  const auto said = testing::internal::GetCapturedStderr();
  EXPECT_EQ(log.size(), 1u);
  EXPECT_EQ(pairs(log.events[0]), (std::vector<std::string>{"u c 0", "u d 0"}));
  EXPECT_EQ(pairs(log.events[1]), (std::vector<std::string>{"u b 0"}));
  EXPECT_NE(said.find("1 of 5 rows are of no kind of [[data.events]] and left out"), said.npos) << said;
}

TEST_F(EventKindsTest, ValuesWithoutAKindAreCountedAndNamed) {
  testing::internal::CaptureStderr();
  load_interactions(shop("user_id,item_id,event,ts\nu,a,buy,1\nu,b,refund,2\nu,c,refund,3\nu,d,\"x\"\"y\",4\n"));
  const auto said = testing::internal::GetCapturedStderr();
  EXPECT_NE(said.find("3 of 4 rows are of no kind of [[data.events]] and left out: event = 'refund', 'x\"y'"),
            said.npos)
      << said;
}

TEST_F(EventKindsTest, ValuesMayBeNumbersOrHoldQuotes) {
  auto o = shop("user_id,item_id,event,ts\nu,a,1,1\nu,b,2,2\nu,c,\"say \"\"hi\"\"\",3\n");
  o.events = {
      {.name = "1"}, {.name = "2", .role = EventRole::history}, {.name = "say \"hi\"", .role = EventRole::history}};
  const auto log = load_interactions(o);
  EXPECT_EQ(log.size(), 1u);
  EXPECT_EQ(log.events[0].size(), 1u);
  EXPECT_EQ(log.events[1].size(), 1u);
}

TEST_F(EventKindsTest, ATimeThatCannotBeIsDroppedFromEachKind) {
  auto o = shop(
      "user_id,item_id,event,ts\nu,a,buy,1700000000\nu,b,view,1700000001\nv,c,view,4000000000\nu,d,view,1700000002\n");
  o.times.unit = columns::TimeUnit::s;
  o.now_us = int64_t{1800000000} * 1000000;
  o.bad_rows = {OnBadRow::skip, 10};
  testing::internal::CaptureStderr();
  const auto log = load_interactions(o);
  testing::internal::GetCapturedStderr();
  EXPECT_EQ(pairs(log.events[0]), (std::vector<std::string>{"u b 1700000001", "u d 1700000002"}));
  EXPECT_EQ(log.events[0].users.size(), 1u);
}

TEST_F(EventKindsTest, ABadRowThatIsReadTwiceCountsOnce) {
  auto o = shop("user_id,item_id,event,ts\nu,a,buy,1700000000\nv,c,hate,4000000000\nu,d,hate,1700000002\n");
  o.times.unit = columns::TimeUnit::s;
  o.now_us = int64_t{1800000000} * 1000000;
  o.bad_rows = {OnBadRow::skip, 1};
  testing::internal::CaptureStderr();
  const auto log = load_interactions(o);
  const auto said = testing::internal::GetCapturedStderr();
  EXPECT_NE(said.find("1 bad row"), said.npos) << said;
  EXPECT_EQ(pairs(log.shown), (std::vector<std::string>{"u d 1700000002"}));
  EXPECT_EQ(pairs(log.events[1]), (std::vector<std::string>{"u d 1700000002"}));
}

TEST_F(EventKindsTest, ALogWithoutPositivesSaysSo) {
  EXPECT_TRUE(files::error_of([&] {
                load_interactions(shop("user_id,item_id,event,ts\nu,a,view,1\n"));
              }).says("none of its 1 row(s) is of a positive kind of [[data.events]]"));
}

TEST_F(EventKindsTest, WhatCannotBeMeantIsRefused) {
  const auto why = [](const std::vector<EventOptions>& kinds, const std::string& column) {
    return files::error_of([&] { validate(kinds, column); }).message;
  };
  EXPECT_NO_THROW(validate({{.name = "buy"}, {.name = "view", .role = EventRole::history}}, "event"));
  EXPECT_NE(why({}, "event").find("data.event = \"event\" needs to know"), std::string::npos);
  EXPECT_NE(why({{.name = "buy"}}, "").find("which rows are of it?"), std::string::npos);
  EXPECT_NE(why({{.name = ""}}, "event").find("has no name"), std::string::npos);
  EXPECT_NE(why({{.name = "a"}, {.name = "a"}}, "event").find("is there twice"), std::string::npos);
  EXPECT_NE(why({{.name = "a", .role = EventRole::history}}, "event").find("no kind is positive"), std::string::npos);
  EXPECT_NE(why({{.name = "a", .weight = 0}}, "event").find("no finite number above 0"), std::string::npos);
  EXPECT_NE(why({{.name = "a"}, {.name = "b", .role = EventRole::history, .weight = 2}}, "event").find("weight is of"),
            std::string::npos);
  EXPECT_NE(why({{.name = "a", .history = true}}, "event").find("history is for negative"), std::string::npos);
  auto o = shop("user_id,item_id,event,ts\nu,a,buy,1\n");
  o.events[0].when = "event ==";
  EXPECT_NE(files::error_of([&] { load_interactions(o); }).message.find("[[data.events]] name = \"buy\": when"),
            std::string::npos);
}

}  // namespace
}  // namespace pagoda::data
