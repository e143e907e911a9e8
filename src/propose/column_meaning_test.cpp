#include "propose/column_meaning.h"

#include "propose/propose_test.h"

namespace pagoda::propose {
namespace {

class ColumnMeaningTest : public ProposeTest {
 protected:
  // Of a column of that name, with these values in turn.
  Meaning meaning(const std::string& name, const std::vector<std::string>& values) {
    const auto text = log_text("user_id,item_id," + name, [&](int n) {
      return fmt::format("u{},i{},{}", n % 30, n % 23, values[static_cast<size_t>(n) % values.size()]);
    });
    return meaning_of(data::guess_interactions({{file("a.csv", text)}}).columns.at(2));
  }
};

TEST_F(ColumnMeaningTest, AnswersAreOfTwoValuesAndCalledSo) {
  for (const auto* name : {"click", "clicked", "is_click", "isClick", "label", "target", "converted", "purchase"}) {
    EXPECT_EQ(meaning(name, {"0", "1", "0"}), Meaning::answer) << name;
    EXPECT_EQ(meaning(name, {"false", "true"}), Meaning::answer) << name;
  }
  EXPECT_EQ(meaning("label", {"0.0", "1.0"}), Meaning::answer);
  EXPECT_EQ(meaning("rating", {"0", "1"}), Meaning::answer);
  EXPECT_NE(meaning("label", {"0", "1", "2"}), Meaning::answer);
  EXPECT_NE(meaning("label", {"a", "b"}), Meaning::answer);
  EXPECT_NE(meaning("is_mobile", {"0", "1"}), Meaning::answer);
  EXPECT_LT(rank_of_answer("is_click"), rank_of_answer("is_follow"));
}

TEST_F(ColumnMeaningTest, EventsAreToldByValuesOrByTheirName) {
  EXPECT_EQ(meaning("x", {"pv", "cart", "fav", "buy"}), Meaning::event);
  EXPECT_EQ(meaning("kind", {"view", "addtocart", "transaction"}), Meaning::event);
  EXPECT_EQ(meaning("behavior_type", {"1", "2", "3", "4"}), Meaning::event);
  EXPECT_EQ(meaning("event_type", {"alpha", "beta"}), Meaning::event);
  EXPECT_EQ(meaning("device", {"phone", "web", "play"}), Meaning::other);
  EXPECT_EQ(meaning("kind", {"1", "2", "3"}), Meaning::other);
  EXPECT_EQ(meaning("x", {"Viewed", "clicked", "vote"}), Meaning::event);
}

TEST_F(ColumnMeaningTest, StarsAreHalvesUpToTen) {
  EXPECT_EQ(meaning("rating", {"1", "2", "3", "4", "5"}), Meaning::stars);
  EXPECT_EQ(meaning("stars", {"0.5", "3.5", "5.0"}), Meaning::stars);
  EXPECT_EQ(meaning("overall", {"1.0", "2.0", "5.0"}), Meaning::stars);
  EXPECT_EQ(meaning("Book-Rating", {"0", "7", "10"}), Meaning::stars);
  EXPECT_NE(meaning("score", {"0.31", "0.77", "3.2"}), Meaning::stars);
  EXPECT_NE(meaning("rating", {"10", "50", "100"}), Meaning::stars);
  EXPECT_NE(meaning("floor", {"1", "2", "3", "4"}), Meaning::stars);
  // A weight is a grade or a count, by its values.
  EXPECT_EQ(meaning("weight", {"1", "2", "3", "4", "5", "5", "4"}), Meaning::stars);
  EXPECT_NE(meaning("weight", {"1", "2", "3", "4", "5", "1", "1", "1", "1"}), Meaning::stars);
}

TEST_F(ColumnMeaningTest, APartOfASplitIsNoContext) {
  EXPECT_EQ(meaning("x", {"train", "test", "Valid"}), Meaning::part);
  EXPECT_EQ(meaning("vehicle", {"train", "bus"}), Meaning::other);
}

TEST_F(ColumnMeaningTest, WhatIsKnownAfterwards) {
  for (const auto* name : {"dwell", "dwell_time", "watch_ratio", "play_duration", "playtime_forever", "play_time_ms"})
    EXPECT_EQ(meaning(name, {"0.5", "3", "17"}), Meaning::extent) << name;
  for (const auto* name : {"summary", "reviewText", "review_text", "helpful", "transactionid", "verified_purchase"})
    EXPECT_EQ(meaning(name, {"a", "b", "c"}), Meaning::afterwards) << name;
  EXPECT_EQ(meaning("reviewTime", {"\"05 1, 2018\"", "\"05 2, 2018\""}), Meaning::afterwards);
  EXPECT_EQ(meaning("time_of_day", {"morning", "evening"}), Meaning::other);
}

TEST_F(ColumnMeaningTest, ExpressionsQuoteWhatTheFilterLanguageQuotes) {
  EXPECT_EQ(field_text("event_type"), "event_type");
  EXPECT_EQ(field_text("Book-Rating"), "`Book-Rating`");
  EXPECT_EQ(field_text("in"), "`in`");
  data::ColumnGuess words;
  words.name = "event";
  words.type = columns::ColumnType::text;
  EXPECT_EQ(one_of_text(words, {"buy"}), "event = \"buy\"");
  EXPECT_EQ(one_of_text(words, {"a \"b\"", "c"}), "event in (\"a \\\"b\\\"\", \"c\")");
  data::ColumnGuess numbers;
  numbers.name = "event";
  numbers.type = columns::ColumnType::integer;
  EXPECT_EQ(one_of_text(numbers, {"3", "4"}), "event in (3, 4)");
}

}  // namespace
}  // namespace pagoda::propose
