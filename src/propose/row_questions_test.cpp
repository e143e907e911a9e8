#include "propose/row_questions.h"

#include "propose/propose_test.h"

namespace pagoda::propose {
namespace {

class RowQuestionsTest : public ProposeTest {
 protected:
  // A log with further columns, whose cells are picked by a number that goes with neither user nor item.
  Proposal propose_columns(const std::string& names, const std::vector<std::vector<std::string>>& cells,
                           Request request = {}) {
    return propose_log(log_text("user_id,item_id,ts," + names,
                                [&](int n) {
                                  auto row = fmt::format("u{},i{},{}", n % 30, n % 23, 1700000000 + 8640 * n);
                                  const auto any = static_cast<size_t>(n) * 2654435761u >> 7;
                                  for (size_t c = 0; c < cells.size(); ++c)
                                    row += "," + cells[c][(any >> 3 * c) % cells[c].size()];
                                  return row;
                                }),
                       std::move(request));
  }
  // The one question that has these words.
  static std::string question(const Proposal& p, std::string_view words) {
    std::string found;
    for (const auto& q : p.questions)
      if (q.find(words) != q.npos) found += q;
    return found;
  }
};

TEST_F(RowQuestionsTest, TheAnswerIsClickedAndNoContext) {
  const auto p = propose_columns("is_follow,label,device", {{"0", "1"}, {"0", "1", "0", "0"}, {"web", "app"}});
  EXPECT_EQ(p.options.data.clicked, "label");
  EXPECT_EQ(p.options.data.context, std::vector<std::string>{"device"});
  EXPECT_NE(question(p, "'label' is taken for the answer").find("--clicked ''"), std::string::npos);
  EXPECT_FALSE(says(p, "log.csv: 1000 rows, "));
  Request none;
  none.clicked = "";
  EXPECT_EQ(propose_columns("label", {{"0", "1"}}, none).options.data.clicked, "");
  EXPECT_EQ(propose_columns("label", {{"False", "True"}}).options.data.clicked, "label");
  EXPECT_EQ(propose_columns("label", {{"Nay", "Yes"}}).options.data.clicked, "");
  // What was shown alone is no row, and what is neither is said.
  const auto gaps = propose_columns("label", {{"0", "1", "", "1"}});
  EXPECT_TRUE(says(gaps, "rows have no answer: training stops"));
}

TEST_F(RowQuestionsTest, EventsAskAndAllRowsCount) {
  const auto p = propose_columns("event", {{"view", "view", "view", "view", "addtocart", "transaction"}});
  const auto asked = question(p, "'event' says what happened");
  EXPECT_NE(asked.find("--positive 'event in (\"transaction\", \"addtocart\")' keeps 3"), asked.npos) << asked;
  EXPECT_TRUE(p.options.data.context.empty());
  EXPECT_EQ(p.options.data.positive, "");
  const auto against = propose_columns("event", {{"view", "view", "like", "dislike", "unlike"}});
  EXPECT_EQ(against.options.data.positive, "not event in (\"dislike\", \"unlike\")");
  EXPECT_NE(question(against, "All rows but those of dislike, unlike count").find("'event = \"like\"'"),
            std::string::npos);
  const auto equal = question(propose_columns("event", {{"buy", "purchase", "buy"}}), "what happened");
  EXPECT_NE(equal.find("--positive 'event = \"purchase\"'"), equal.npos) << equal;
}

TEST_F(RowQuestionsTest, StarsAskFromWhichOnAndStayTheWeight) {
  const auto p = propose_columns("rating", {{"1", "2", "3", "4", "5"}});
  EXPECT_EQ(p.options.data.weight, "rating");
  const auto asked = question(p, "'rating' holds stars from 1 to 5");
  EXPECT_NE(asked.find("--positive 'rating >= 4' keeps"), asked.npos) << asked;
  const auto books = question(propose_columns("Book-Rating", {{"0", "5", "8", "10"}}), "stars from 0 to 10");
  EXPECT_NE(books.find("--positive '`Book-Rating` >= 8'"), books.npos) << books;
  EXPECT_NE(books.find("0, in 2"), books.npos) << books;
}

TEST_F(RowQuestionsTest, WhatIsToldIsNoQuestionAndItsRowsAreCounted) {
  Request request;
  request.positive = "rating >= 4";
  request.where = "device = 'web'";
  const auto p = propose_columns("rating,device", {{"1", "2", "3", "4", "5"}, {"web", "app"}}, request);
  EXPECT_EQ(p.options.data.positive, "rating >= 4");
  EXPECT_EQ(p.options.data.where, "device = 'web'");
  EXPECT_EQ(p.options.data.weight, "");  // what is good enough counts alike
  EXPECT_EQ(question(p, "rating"), "");
  EXPECT_FALSE(says(p, "log.csv: 1000 rows, "));
  EXPECT_TRUE(says(p, "rows are no positives, and count as shown"));
  EXPECT_TRUE(says(p, "rows are left out by data.where"));
}

TEST_F(RowQuestionsTest, ExtentsAreLeftOutAndAskedOnce) {
  const auto p = propose_columns("dwell_time,watch_ratio", {{"3", "17", "90"}, {"0.1", "0.5", "1.2"}});
  EXPECT_EQ(p.options.data.weight, "");
  EXPECT_EQ(p.questions.size(), 1u);
  EXPECT_NE(question(p, "'dwell_time', 'watch_ratio'").find("--positive 'watch_ratio >= 0.6"), std::string::npos)
      << p.questions[0];
  Request told;
  told.weight = "dwell_time";
  EXPECT_EQ(propose_columns("dwell_time", {{"3", "17", "90"}}, told).options.data.weight, "dwell_time");
}

TEST_F(RowQuestionsTest, CountsThatOutweighAllOthersAreNoWeight) {
  std::vector<std::string> plays(200, "1");
  plays[0] = "90000";
  const auto p = propose_columns("plays", {plays});
  EXPECT_EQ(p.options.data.weight, "");
  EXPECT_NE(question(p, "'plays' goes up to 90000").find("--weight 'plays'"), std::string::npos);
  EXPECT_EQ(propose_columns("plays", {{"1", "2", "9"}}).options.data.weight, "plays");
}

TEST_F(RowQuestionsTest, WhatIsKnownAfterTheClickIsNoContext) {
  const auto p = propose_columns("summary,verified,device", {{"good", "bad"}, {"true", "false"}, {"web", "app", "tv"}});
  EXPECT_EQ(p.options.data.context, std::vector<std::string>{"device"});
  EXPECT_TRUE(says(p, "by its name known only after the click"));
  EXPECT_NE(question(p, "'device' is taken as context").find("--context ''"), std::string::npos);
  Request request;
  request.context = {"summary"};
  const auto told = propose_columns("summary,device", {{"good", "bad"}, {"web", "app"}}, request);
  EXPECT_EQ(told.options.data.context, std::vector<std::string>{"summary"});
  EXPECT_EQ(columns_of(told.options.towers.user.features), "summary:categorical");
  request.context = {""};
  EXPECT_TRUE(propose_columns("device", {{"web", "app"}}, request).options.data.context.empty());
}

TEST_F(RowQuestionsTest, PartsOfASplitAreAskedOf) {
  const auto p = propose_columns("split", {{"test", "train", "train"}});
  EXPECT_TRUE(p.options.data.context.empty());
  EXPECT_NE(question(p, "'split' names the part").find("--where 'split = \"train\"'"), std::string::npos);
}

TEST_F(RowQuestionsTest, QuestionsStandFirstAndNameTheirFlags) {
  const auto p = propose_columns("rating", {{"1", "2", "3", "4", "5"}});
  ASSERT_FALSE(p.questions.empty());
  EXPECT_EQ(p.lines()[0], "? " + p.questions[0]);
  for (const auto& q : p.questions) EXPECT_NE(q.find("--"), q.npos) << q;
}

}  // namespace
}  // namespace pagoda::propose
