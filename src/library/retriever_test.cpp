#include <pagoda/retriever.h>

#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <cmath>
#include <filesystem>
#include <thread>

#include "retrieval/retrieval.h"
#include "retrieval/retrieval_test.h"

namespace pagoda {
namespace {

class RetrieverTest : public testing::Test {
 protected:
  void SetUp() override {
    ThreadPool pool(1);
    retrieval::write_small_bundle(pool, path_, {});
  }
  void TearDown() override { std::filesystem::remove(path_); }

  static std::vector<std::string> ids(const Candidates& list) {
    std::vector<std::string> found;
    for (const auto& candidate : list) found.push_back(candidate.item);
    return found;
  }
  // The Error that f() throws.
  template <class F>
  static Error error_of(F f) {
    try {
      f();
    } catch (const Error& e) {
      return e;
    }
    ADD_FAILURE() << "nothing was thrown";
    return Error(ErrorKind::failed, "");
  }

  const std::string path_ = testing::TempDir() + "pagoda_library_" + std::to_string(getpid()) + ".pagoda";
};

TEST_F(RetrieverTest, AnswersAsRetrievalDoes) {
  const Retriever retriever(path_);
  const auto lists = retriever.retrieve(std::vector<Request>{{.user = "ann"}, {.history = {{"i3"}}}}, {.k = 4});
  ASSERT_EQ(lists.size(), 2u);
  ThreadPool pool(1);
  const retrieval::Retrieval reference(model::Bundle::open(path_));
  std::vector<retrieval::RetrieveRequest> requests(2);
  requests[0].user = "ann";
  requests[1].history = {{"i3"}};
  const auto expected = reference.retrieve(pool, requests, {.k = 4});
  for (size_t q = 0; q < 2; ++q) {
    ASSERT_EQ(lists[q].size(), expected.found.items[q].size());
    for (size_t i = 0; i < lists[q].size(); ++i) {
      EXPECT_EQ(lists[q][i].item, reference.item_id(expected.found.items[q][i]));
      EXPECT_EQ(lists[q][i].score, expected.found.scores[expected.found.items.offsets[q] + i]);
    }
  }
}

TEST_F(RetrieverTest, RecentItemsComeAfterTheKnownHistory) {
  const Retriever retriever(path_);
  const auto added = retriever.retrieve({.user = "ann", .recent = {"i9"}}, {.k = 100});
  EXPECT_EQ(added, retriever.retrieve({.user = "ann", .history = {{"i0", "i1", "i2", "i3", "i4", "i9"}}}, {.k = 100}));
  EXPECT_EQ(added.size(), retriever.items() - 6);
}

TEST_F(RetrieverTest, FiltersExclusionsAndQuotasWorkInside) {
  const Retriever retriever(path_);
  const auto all = ids(retriever.retrieve({.user = "cat"}, {.k = 100}));
  EXPECT_EQ(all.size(), retriever.items());
  for (const auto& id : ids(retriever.retrieve({.user = "cat"}, {.k = 100, .filter = "year >= 1995"})))
    EXPECT_GE(std::stoi(id.substr(1)), 5);
  const auto without = ids(retriever.retrieve({.user = "cat", .exclude = {all[0]}}, {.k = 100, .exclude = {all[1]}}));
  EXPECT_EQ(without, std::vector(all.begin() + 2, all.end()));
  EXPECT_EQ(retriever.retrieve({.user = "cat"}, {.k = 100, .quota = Quota{"author", 1}}).size(), 2u);
  const auto unseen = ids(retriever.retrieve({.user = "ann"}, {.k = 100}));
  EXPECT_EQ(unseen.size(), retriever.items() - 5);
  EXPECT_EQ(retriever.retrieve({.user = "ann"}, {.k = 100, .exclude_seen = false}).size(), retriever.items());
}

TEST_F(RetrieverTest, VectorsAreThoseThatItSearchesWith) {
  const Retriever retriever(path_);
  const Request ann{.user = "ann"};
  const auto vectors = retriever.encode_users({&ann, 1});
  EXPECT_EQ(vectors.rows(), 1u);
  EXPECT_EQ(vectors.dim, retriever.dim());
  const RetrieveOptions options{.k = 5, .exclude_seen = false};
  EXPECT_EQ(retriever.search(vectors, options)[0], retriever.retrieve(ann, options));
  const ItemChange known{.item = "i2", .attributes = {{"year", {"1992"}}, {"author", {"kim"}}}};
  const auto item = retriever.encode_items({&known, 1});
  const std::vector<std::string> asked{"i2"};
  auto like = retriever.search(item, {.k = 3});
  std::erase_if(like[0], [](const Candidate& c) { return c.item == "i2"; });
  EXPECT_EQ(retriever.similar(asked, 2)[0], Candidates(like[0].begin(), like[0].begin() + 2));
}

TEST_F(RetrieverTest, ChangedItemsAreAnotherRetriever) {
  const Retriever before(path_);
  const std::vector<ItemChange> changes{{.item = "new", .attributes = {{"year", {"2024"}}}},
                                        {.item = "i1", .deleted = true},
                                        {.item = "new", .attributes = {{"year", {"2025"}}}}};
  const auto after = before.with_changes(changes);
  EXPECT_EQ(before.items(), after.items());
  EXPECT_TRUE(after.has_item("new"));
  EXPECT_FALSE(after.has_item("i1"));
  EXPECT_TRUE(before.has_item("i1"));
  EXPECT_FALSE(before.has_item("new"));
  EXPECT_EQ(ids(after.retrieve({.user = "cat"}, {.k = 9, .filter = "year = 2025"})), std::vector<std::string>{"new"});
  const std::vector<ItemChange> more{{.item = "new", .deleted = true}};
  EXPECT_EQ(after.with_changes(more).items(), after.items() - 1) << "it knows the changes made before";
}

TEST_F(RetrieverTest, ErrorsNameTheirField) {
  const Retriever retriever(path_);
  const std::vector<Request> two{{.user = "ann"}, {.context = {{"devcie", "tv"}}}};
  const auto unknown = error_of([&] { retriever.retrieve(two); });
  EXPECT_EQ(unknown.kind(), ErrorKind::input);
  EXPECT_EQ(unknown.field(), "requests[1].context");
  EXPECT_NE(std::string(unknown.what()).find("did you mean 'device'?"), std::string::npos);
  EXPECT_EQ(error_of([&] { retriever.retrieve(two[1]); }).field(), "context");
  EXPECT_EQ(error_of([&] { retriever.retrieve(two[0], {.k = 0}); }).field(), "k");
  EXPECT_EQ(error_of([&] { retriever.retrieve(two[0], {.filter = "yeer > 3"}); }).field(), "filter");
  EXPECT_EQ(error_of([&] { retriever.retrieve(two[0], {.recall = 1.5}); }).field(), "recall");
  EXPECT_EQ(error_of([&] { retriever.retrieve(two[0], {.min_score = NAN}); }).field(), "min_score");
  EXPECT_EQ(error_of([&] { retriever.retrieve(two[0], {.quota = Quota{"author", 0}}); }).field(), "quota");
  EXPECT_EQ(error_of([&] { retriever.retrieve({.features = {{"country", {}}}}); }).field(), "features");
  const std::vector<std::string> items{"i0", "nobody"};
  EXPECT_EQ(error_of([&] { retriever.similar(items); }).field(), "items[1]");
  const std::vector<float> row(retriever.dim() + 1), nan(retriever.dim(), NAN);
  EXPECT_EQ(error_of([&] { retriever.search({row, row.size()}); }).kind(), ErrorKind::input);
  EXPECT_EQ(error_of([&] { retriever.search({nan, nan.size()}); }).field(), "queries");
  EXPECT_EQ(error_of([&] { VectorsView(nan, 5); }).field(), "vectors");
  const std::vector<ItemChange> wrong{{.item = "x", .attributes = {{"year", {"late"}}}}};
  EXPECT_EQ(error_of([&] { retriever.with_changes(wrong); }).field(), "attributes");
  EXPECT_EQ(error_of([&] { Retriever("/nowhere.pagoda"); }).kind(), ErrorKind::input);
}

TEST_F(RetrieverTest, ManyThreadsGetTheSameAnswers) {
  const Retriever retriever(path_, {.threads = 2});
  const auto expected = retriever.retrieve({.user = "bob"}, {.k = 5});
  std::vector<std::thread> threads;
  std::atomic<int> same = 0;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&, copy = retriever] {
      for (int i = 0; i < 20; ++i) same += copy.retrieve({.user = "bob"}, {.k = 5}) == expected;
    });
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(same, 80);
}

}  // namespace
}  // namespace pagoda
