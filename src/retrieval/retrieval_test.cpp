#include "retrieval/retrieval.h"

#include <algorithm>

#include <fmt/ranges.h>

#include "retrieval/retrieval_test.h"
#include "retrieval/snapshot.h"

namespace pagoda::retrieval {
namespace {

using Names = std::vector<std::string>;

class RetrievalOf : public testing::Test {
 protected:
  void SetUp() override {
    path_ = testing::TempDir() + "pagoda_serve_" + std::to_string(getpid()) + ".pagoda";
    make(false);
  }
  void TearDown() override { std::filesystem::remove(path_); }

  void make(bool user_ids) {
    write_small_bundle(pool_, path_, {.user_ids = user_ids});
    retrieval_ = std::make_unique<Retrieval>(model::Bundle::open(path_));
  }

  static RetrieveRequest ask(const std::string& line) { return parse_request(line, "users.txt:1"); }
  Names items(const std::string& line, const RetrieveOptions& options = {}) {
    const auto answer = retrieval_->retrieve(pool_, {ask(line)}, options);
    Names out;
    for (auto row : answer.found.items[0]) out.emplace_back(retrieval_->bundle().item_ids()[row]);
    return out;
  }
  std::vector<float> vector(const std::string& line) {
    const auto vectors = retrieval_->user_vectors(pool_, {ask(line)});
    return {vectors.row(0).begin(), vectors.row(0).end()};
  }
  static std::string error(ErrorKind kind, const std::function<void()>& f) {
    try {
      f();
    } catch (const Error& e) {
      EXPECT_EQ(e.kind(), kind) << e.what();
      return e.what();
    }
    ADD_FAILURE() << "nothing was thrown";
    return "";
  }

  ThreadPool pool_{2};
  std::string path_;
  std::unique_ptr<Retrieval> retrieval_;
};

bool contains(const Names& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

TEST_F(RetrievalOf, AStrangerWithAKnownUsersHistoryContextAndFeaturesHasTheSameBits) {
  EXPECT_EQ(vector("ann"),
            vector(R"({"user": "new", "history": ["i0", "i1", "i2", "i3", "i4"], "context": {"device": "tv"},
                                      "features": {"country": "DE", "likes": ["jam", "bread"]}})"));
  EXPECT_EQ(vector("bob"), vector(R"({"history": ["i5", "i6"], "context": {"device": "phone"},
                                      "features": {"likes": ["tea", "bread"], "country": "FR"}})"));
  EXPECT_NE(vector("ann"), vector("bob"));
  EXPECT_EQ(items("ann"), items(R"({"history": ["i0", "i1", "i2", "i3", "i4"], "context": {"device": "tv"},
                                    "features": {"country": "DE", "likes": ["jam", "bread"]}})"));
}

TEST_F(RetrievalOf, EachPartOfARequestMovesTheVector) {
  const auto unknown_user = vector("{}");
  for (const char* line : {R"({"history": ["i3"]})", R"({"context": {"device": "tv"}})",
                           R"({"features": {"country": "DE"}})", R"({"features": {"likes": ["jam"]}})"})
    EXPECT_NE(vector(line), unknown_user) << line;
  EXPECT_NE(vector(R"({"features": {"likes": ["jam"]}})"), vector(R"({"features": {"likes": ["tea"]}})"));
  EXPECT_EQ(vector(R"({"features": {"country": null}, "context": {"device": null}})"), unknown_user);
  EXPECT_EQ(vector("nobody"), unknown_user);
}

TEST_F(RetrievalOf, AHistoryThatIsGivenReplacesTheKnownOne) {
  EXPECT_NE(vector(R"({"user": "ann", "history": ["i9"]})"), vector("ann"));
  const auto list = items(R"({"user": "ann", "history": ["i9"]})");
  EXPECT_FALSE(contains(list, "i9"));
  EXPECT_TRUE(contains(list, "i0"));
  EXPECT_EQ(items(R"({"user": "ann", "history": []})").size(), 10u);
}

TEST_F(RetrievalOf, RecentItemsComeAfterTheHistoryKnownOrGiven) {
  const std::vector<std::pair<std::string, std::string>> same{
      {R"({"user": "ann", "recent": ["i9", "i7"]})",
       R"({"user": "ann", "history": ["i0", "i1", "i2", "i3", "i4", "i9", "i7"]})"},
      {R"({"user": "ann", "recent": ["i9", "i0", "i7", "i8"]})",
       R"({"user": "ann", "history": ["i0", "i1", "i2", "i3", "i4", "i9", "i0", "i7", "i8"]})"},
      {R"({"user": "bob", "history": ["i1"], "recent": ["i2"]})", R"({"user": "bob", "history": ["i1", "i2"]})"},
      {R"({"user": "bob", "recent": []})", R"({"user": "bob"})"},
      {R"({"user": "bob", "recent": ["nothing"]})", R"({"user": "bob"})"},
      {R"({"user": "nobody", "recent": ["i3"]})", R"({"user": "nobody", "history": ["i3"]})"},
      {R"({"recent": ["i3", 5], "features": {"country": "DE"}})",
       R"({"history": ["i3", "5"], "features": {"country": "DE"}})"}};
  for (const bool user_ids : {false, true}) {
    make(user_ids);
    for (const auto& [added, whole] : same) {
      EXPECT_EQ(vector(added), vector(whole)) << added;
      EXPECT_EQ(items(added), items(whole)) << added;
      EXPECT_EQ(items(added, {.filter = "not seen", .exclude_seen = false}), items(whole)) << added;
    }
    EXPECT_NE(vector(R"({"user": "ann", "recent": ["i9"]})"), vector("ann"));
    const auto list = items(R"({"user": "ann", "recent": ["i9"]})");
    EXPECT_EQ(list.size(), 4u);
    for (const char* seen : {"i0", "i1", "i2", "i3", "i4", "i9"}) EXPECT_FALSE(contains(list, seen));
  }
}

TEST_F(RetrievalOf, AnIdOfItsOwnTellsAKnownUserFromAStranger) {
  make(true);
  EXPECT_NE(vector("cat"), vector(R"({"features": {"country": "DE", "likes": ["jam", "bread"]}})"));
  EXPECT_EQ(vector("cat"), vector(R"({"user": "cat", "features": {"country": "DE", "likes": ["jam", "bread"]}})"));
}

TEST_F(RetrievalOf, AnAddedItemIsReadByItsNearestInAHistory) {
  // The three items that the item tower finds nearest stand for it, a third of its weight each.
  const Retrieval changed = with_changes(retrieval_->shared_bundle(),
                                         {{.item = "i20", .attributes = {{.name = "year", .values = {"1994"}}}}}, {});
  const auto vector_of = [&](const std::string& line) {
    const auto vectors = changed.user_vectors(pool_, {ask(line)});
    return std::vector<float>(vectors.row(0).begin(), vectors.row(0).end());
  };
  const auto row = changed.find_item("i20");
  ASSERT_NE(row, columns::Interner::kNone);
  const auto nearest = changed.similar(pool_, std::vector{row}, 3);
  Names stand_ins;
  for (const auto item : nearest.items[0]) stand_ins.push_back("\"" + std::string(changed.item_id(item)) + "\"");
  ASSERT_EQ(stand_ins.size(), 3u);
  const auto instead = fmt::format(R"({{"history": [{}]}})", fmt::join(stand_ins.rbegin(), stand_ins.rend(), ", "));
  EXPECT_EQ(vector_of(R"({"history": ["i20"]})"), vector_of(instead));
  EXPECT_NE(vector_of(R"({"history": ["i20"]})"), vector_of(R"({"history": []})"));
  EXPECT_EQ(vector_of(R"({"history": ["i20"]})"), vector_of(R"({"history": [], "recent": ["i20"]})"));
  EXPECT_NE(vector_of(R"({"user": "bob", "recent": ["i20"]})"), vector_of(R"({"user": "bob"})"));
  EXPECT_EQ(vector_of(R"({"history": ["i9", "nobody knows it"]})"), vector_of(R"({"history": ["i9"]})"));
  EXPECT_NE(vector_of(R"({"history": ["i9", "i20"]})"), vector_of(R"({"history": ["i9"]})"));
  const auto two = changed.user_vectors(pool_, {ask(R"({"history": ["i9", "i20"]})"), ask(R"({"history": ["i20"]})")});
  EXPECT_EQ(std::vector<float>(two.row(1).begin(), two.row(1).end()), vector_of(R"({"history": ["i20"]})"));
  EXPECT_EQ(std::vector<float>(two.row(0).begin(), two.row(0).end()), vector_of(R"({"history": ["i9", "i20"]})"));
}

TEST_F(RetrievalOf, SeenItemsDoNotComeBackUnlessAskedFor) {
  auto list = items("ann");
  EXPECT_EQ(list.size(), 5u);
  for (const char* seen : {"i0", "i1", "i2", "i3", "i4"}) EXPECT_FALSE(contains(list, seen));
  EXPECT_EQ(items("ann", {.exclude_seen = false, .exclude = {}}).size(), 10u);
  EXPECT_EQ(items("ann", {.filter = "not seen", .exclude_seen = false, .exclude = {}}), list);
}

TEST_F(RetrievalOf, FilterAndExclusionsHoldTogether) {
  const auto free = items("bob", {.exclude_seen = false, .exclude = {}});
  auto expected = free;
  std::erase_if(expected, [](const std::string& i) { return i < "i4" || i == "i8"; });
  EXPECT_EQ(items("bob", {.filter = "year >= 1994", .exclude_seen = false, .exclude = {"i8", "i2", "unknown"}}),
            expected);
  expected.resize(2);
  EXPECT_EQ(items("bob", {.k = 2, .filter = "year >= 1994", .exclude_seen = false, .exclude = {"i8"}}), expected);
  EXPECT_EQ(items("bob", {.filter = "year > 2050", .exclude = {}}), Names{});
}

TEST_F(RetrievalOf, RequestsOfOneBatchDoNotTouchEachOther) {
  std::vector<RetrieveRequest> requests;
  const Names lines{"ann",
                    R"({"features": {"country": "PL"}})",
                    "bob",
                    R"({"user": "ann", "features": {"likes": ["tea"]}})",
                    R"({"user": "ann", "features": {"likes": ["jam"], "country": "FR"}})",
                    "{}",
                    R"({"history": ["i1", "nothing"]})"};
  for (const auto& line : lines) requests.push_back(ask(line));
  const auto together = retrieval_->user_vectors(pool_, requests);
  for (size_t i = 0; i < lines.size(); ++i)
    EXPECT_EQ(std::vector<float>(together.row(i).begin(), together.row(i).end()), vector(lines[i])) << lines[i];
  const auto answer = retrieval_->retrieve(pool_, requests, {.exclude = {}});
  EXPECT_EQ(answer.user_known, (std::vector<bool>{true, false, true, true, true, false, false}));
}

TEST_F(RetrievalOf, NamesThatTheModelDoesNotReadSuggestTheNearest) {
  const auto message = [&](const std::string& line) {
    return error(ErrorKind::input, [&] { retrieval_->check_names(ask(line), "users.txt:1"); });
  };
  EXPECT_EQ(message(R"({"context": {"devise": "tv"}})"),
            "users.txt:1: the model reads no context 'devise'; did you mean 'device'?");
  EXPECT_EQ(message(R"({"features": {"contry": "DE"}})"),
            "users.txt:1: the model reads no user feature 'contry'; did you mean 'country'?");
  retrieval_->check_names(ask(R"({"context": {"device": "tv"}, "features": {"country": "DE", "likes": "tea"}})"), "");
  EXPECT_NE(error(ErrorKind::usage, [&] { items("ann", {.filter = "yaer > 3", .exclude = {}}); }).find("year"),
            std::string::npos);
}

TEST_F(RetrievalOf, SimilarItemsAreTheNearestOthers) {
  const std::vector<uint32_t> asked{3, 7};
  const auto found = retrieval_->similar(pool_, asked, 9);
  const auto all = retrieval_->bundle().item_vectors().f32();
  for (size_t q = 0; q < 2; ++q) {
    ASSERT_EQ(found.items[q].size(), 9u);
    for (size_t r = 0; r < 9; ++r) {
      const auto row = found.items[q][r];
      EXPECT_NE(row, asked[q]);
      double product = 0;
      for (size_t d = 0; d < all.cols(); ++d) product += double{all[asked[q]][d]} * all[row][d];
      EXPECT_NEAR(found.scores[found.items.offsets[q] + r], product, 1e-5);
      if (r > 0) {
        EXPECT_GE(found.scores[found.items.offsets[q] + r - 1], found.scores[found.items.offsets[q] + r]);
      }
    }
  }
}

TEST_F(RetrievalOf, QueryVectorsOfAnotherLengthAreRefused) {
  const math::Matrix<float> narrow(2, 3);
  const auto message = error(ErrorKind::input, [&] { retrieval_->retrieve(pool_, narrow.view(), {.exclude = {}}); });
  EXPECT_NE(message.find("3 components"), std::string::npos);
  EXPECT_NE(message.find('8'), std::string::npos);
}

TEST(Request, AnIdAloneOrAnObject) {
  EXPECT_EQ(parse_request("u 7", "").user, "u 7");
  const auto r =
      parse_request(R"({"user": 12, "history": ["a", 5], "context": {"hour": 21}, "time": "1970-01-01T00:00:01Z",
                                   "features": {"age": 33.5, "tags": ["x", 2]}})",
                    "");
  EXPECT_EQ(r.user, "12");
  EXPECT_EQ(r.history, (std::vector<std::string>{"a", "5"}));
  EXPECT_EQ(r.context, (std::vector<std::pair<std::string, std::string>>{{"hour", "21"}}));
  EXPECT_EQ(r.time_us, 1000000);
  ASSERT_EQ(r.features.size(), 2u);
  EXPECT_EQ(r.features[0].values, (std::vector<std::string>{"33.5"}));
  EXPECT_FALSE(r.features[0].is_list);
  EXPECT_EQ(r.features[1].values, (std::vector<std::string>{"x", "2"}));
  EXPECT_TRUE(r.features[1].is_list);
  EXPECT_FALSE(parse_request("{}", "").user);
  EXPECT_FALSE(parse_request("{}", "").history);
}

TEST(Request, WhatIsWrongIsToldWithItsPlace) {
  const std::vector<std::pair<std::string, std::string>> cases{
      {"{\"user\": ", "invalid JSON"},
      {R"({"usr": "a"})", "did you mean 'user'?"},
      {R"({"user": ["a"]})", "'user' has the wrong type"},
      {R"({"history": "a"})", "'history' has the wrong type"},
      {R"({"history": ["a", null]})", "'history' has the wrong type"},
      {R"({"recent": "a"})", "'recent' has the wrong type"},
      {R"({"context": []})", "'context' has the wrong type"},
      {R"({"context": {"a": {}}})", "context 'a' has the wrong type"},
      {R"({"features": {"a": [["b"]]}})", "feature 'a' has the wrong type"},
      {R"({"time": "noon"})", "'time' is \"noon\""},
      {"u\xff", "UTF-8"},
      {"{\"user\": \"u\xff\"}", "invalid JSON"},
  };
  for (const auto& [line, part] : cases) try {
      parse_request(line, "users.txt:9");
      ADD_FAILURE() << line;
    } catch (const Error& e) {
      EXPECT_EQ(e.kind(), ErrorKind::input);
      EXPECT_NE(std::string(e.what()).find(part), std::string::npos) << e.what();
      EXPECT_TRUE(std::string(e.what()).starts_with("users.txt:9: ")) << e.what();
    }
}

}  // namespace
}  // namespace pagoda::retrieval
