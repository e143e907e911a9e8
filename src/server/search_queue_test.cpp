#include "server/search_queue.h"

#include <future>

#include "retrieval/retrieval_test.h"
#include "server/handler.h"

namespace pagoda::server {
namespace {

class TheQueue : public testing::Test {
 protected:
  static std::string bundle() {
    const auto path = testing::TempDir() + "pagoda_queue_" + std::to_string(getpid()) + ".pagoda";
    ThreadPool pool(1);
    retrieval::write_small_bundle(pool, path, {});
    return path;
  }
  void TearDown() override { std::filesystem::remove(path_); }

  const std::string path_ = bundle();
  retrieval::Snapshots snapshots_{path_};
  ServeMetrics metrics_;
  ForegroundLoad foreground_;
  SnapshotUpdater updater_{{.watch = {}}, snapshots_, metrics_, &foreground_};
  // It holds more than can be answered in time.
  std::unique_ptr<SearchQueue> queue_ = std::make_unique<SearchQueue>(
      SearchQueueOptions{.limit = 10'000'000, .batch = 64, .threads = 1}, metrics_, &foreground_);
  Keys keys_;
  EventWriter events_{make_journal_log(path_ + ".events", {})};
  Handler handler_{{}, snapshots_, updater_, events_, *queue_, metrics_, keys_};
};

TEST_F(TheQueue, WhatWouldWaitBeyondItsDeadlineIsToldToComeAgainAtOnce) {
  // One more than a thread can answer in time: sooner or later a search is turned away, long before the queue is full.
  std::atomic<size_t> answered{0};
  size_t taken = 0;
  bool refused = false;
  for (int i = 0; i < 2'000'000 && !refused; ++i) {
    std::vector<SearchTask> queries;
    queries.push_back({.snapshot = snapshots_.current(),
                       .payload = CandidateQuery{},
                       .deadline = SteadyClock::now() + std::chrono::milliseconds(20),
                       .done = [&](const SearchOutcome&) { ++answered; }});
    refused = !queue_->push(std::move(queries));
    taken += !refused;
  }
  EXPECT_TRUE(refused);
  queue_.reset();  // answers what waits
  EXPECT_EQ(answered, taken);
}

TEST_F(TheQueue, AQueueThatStaysLongTakesOnlyWhoIsInNoHaste) {
  std::promise<void> release;
  const auto released = release.get_future().share();
  const auto push = [&](SteadyClock::time_point deadline, std::function<void(SearchOutcome)> done) {
    std::vector<SearchTask> queries;
    queries.push_back(
        {.snapshot = snapshots_.current(), .payload = CandidateQuery{}, .deadline = deadline, .done = std::move(done)});
    return queue_->push(std::move(queries));
  };
  const auto hasty = [] { return SteadyClock::now() + std::chrono::milliseconds(100); };
  ASSERT_TRUE(push(SteadyClock::time_point::max(), [&](const SearchOutcome&) { released.wait(); }));
  std::atomic<size_t> answered{0};
  size_t taken = 0;
  for (bool more = true; more && taken < 1'000'000; taken += more)
    more = push(hasty(), [&](const SearchOutcome&) { ++answered; });
  EXPECT_GE(taken, 128u);  // two batches at least
  std::this_thread::sleep_for(std::chrono::milliseconds(150));
  EXPECT_FALSE(push(hasty(), [](const SearchOutcome&) {}));
  EXPECT_TRUE(queue_->full());
  EXPECT_TRUE(handler_.should_reject({.method = "POST", .path = "/v1/retrieve", .key = {}, .body = {}}));
  EXPECT_FALSE(handler_.should_reject({.method = "GET", .path = "/v1/model", .key = {}, .body = {}}));
  taken += push(SteadyClock::now() + std::chrono::hours(1), [&](const SearchOutcome&) { ++answered; });
  EXPECT_FALSE(queue_->full());
  release.set_value();
  while (answered < taken) std::this_thread::yield();
  EXPECT_TRUE(push(hasty(), [](const SearchOutcome&) {}));
}

TEST_F(TheQueue, ADeadlineThatHasPassedIsTold) {
  std::promise<SearchOutcome> outcome;
  SearchTask query{.snapshot = snapshots_.current(),
                   .payload = CandidateQuery{},
                   .deadline = SteadyClock::now(),
                   .done = [&](SearchOutcome o) { outcome.set_value(std::move(o)); }};
  std::vector<SearchTask> queries;
  queries.push_back(std::move(query));
  ASSERT_TRUE(queue_->push(std::move(queries)));
  EXPECT_EQ(outcome.get_future().get().error, SearchOutcome::Error::timed_out);
}

TEST_F(TheQueue, ALateRequestOfABatchIsNoWrongField) {
  std::promise<ApiResponse> reply;
  handler_.handle({.method = "POST",
                   .path = "/v1/retrieve_batch",
                   .key = {},
                   .body = R"({"requests": [{"k": 1}, {"k": 2}]})",
                   .deadline = SteadyClock::now()},
                  [&](const Handler::ResponseBuilder& build) { reply.set_value(build()); });
  const auto got = reply.get_future().get();
  EXPECT_EQ(got.status, 504) << got.body;
  EXPECT_EQ(got.field, "");
  EXPECT_NE(got.body.find(R"("kind": "deadline_exceeded")"), std::string::npos) << got.body;
}

TEST_F(TheQueue, CountsASearchUntilItIsAnswered) {
  std::promise<void> answered, release;
  std::vector<SearchTask> queries;
  queries.push_back({.snapshot = snapshots_.current(), .payload = CandidateQuery{}, .done = [&](const SearchOutcome&) {
                       answered.set_value();
                       release.get_future().wait();
                     }});
  ASSERT_TRUE(queue_->push(std::move(queries)));
  answered.get_future().wait();
  EXPECT_TRUE(foreground_.any());
  release.set_value();
  while (foreground_.any()) std::this_thread::yield();
}

}  // namespace
}  // namespace pagoda::server
