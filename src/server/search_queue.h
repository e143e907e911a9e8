// Searches that wait, and the thread that answers them: those that may be answered by one call are.
//
// The queue is bounded, and so is the time in it: what does not fit, or would wait beyond its deadline as fast as searches are
// answered now, is turned away at once. An answer that comes too late costs as much as one that comes in time, so under
// overload a queue that took everything would answer nobody. A search is answered by its deadline or told that it is past it.
//
// A queue that is long for a moment has taken a burst in; one that stays long only makes everybody wait. So when it has not
// been short for a while, a search may wait in it for a small part of the time to its deadline alone.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <variant>
#include <vector>

#include "retrieval/snapshot.h"
#include "server/metrics.h"

namespace pagoda::server {

using SteadyClock = std::chrono::steady_clock;

// Candidates of a user, or of a query vector when there is one.
struct CandidateQuery {
  retrieval::RetrieveRequest request;
  std::vector<float> vector;
  retrieval::RetrieveOptions options;
};
struct SimilarQuery {
  uint32_t item;  // row
  size_t k;
};
struct UserVectorsQuery {
  std::vector<retrieval::RetrieveRequest> users;
};
// Of known items by row; of those that bring attributes (row Interner::kNone) by the item tower.
struct ItemVectorsQuery {
  std::vector<uint32_t> rows;
  data::Attributes provided;  // in the order of the rows that are kNone
};

// What came of a query. One of the errors, or the rest.
struct SearchOutcome {
  enum class Error { none, invalid, timed_out, failed };
  Error error = Error::none;
  std::string message{}, field{};  // of what is wrong

  bool user_known = false;
  std::vector<uint32_t> items{};  // rows
  std::vector<float> scores{};
  math::Matrix<float> vectors{};
  retrieval::StageTimes times{};
  double queue_s = 0;
  std::optional<index::SearchExplain> explain{};
};

using SearchPayload = std::variant<CandidateQuery, SimilarQuery, UserVectorsQuery, ItemVectorsQuery>;

struct SearchTask {
  std::shared_ptr<const retrieval::Snapshot> snapshot;
  SearchPayload payload;
  SteadyClock::time_point deadline = SteadyClock::time_point::max();
  std::function<void(SearchOutcome)> done;  // called once, on the queue's thread; it may not throw, nor take long
  SteadyClock::time_point queued{};
};

struct SearchQueueOptions {
  size_t limit = 1024, batch = 64;
  std::chrono::microseconds wait{500};
  int threads = 0;
};

class SearchQueue {
 public:
  // metrics and foreground are borrowed; foreground (or nullptr) counts the searches that wait or are under way.
  SearchQueue(const SearchQueueOptions& options, ServeMetrics& metrics, ForegroundLoad* foreground = nullptr);
  ~SearchQueue();  // answers what waits

  // All of them, or, when they cannot all be answered in time, none: then false.
  bool push(std::vector<SearchTask> queries);

  // Whether push would take no search now that is in as much haste as the last ones were. Cheap: a transport asks before it
  // reads a request.
  bool full() const { return full_.load(std::memory_order_relaxed); }

 private:
  void loop();
  std::vector<SearchTask> take();  // empty at the end
  void answer(std::vector<SearchTask> batch);
  double wait_s(size_t more) const;
  bool stays_long(SteadyClock::time_point now) const;
  bool is_full(SteadyClock::time_point now) const;

  SearchQueueOptions options_;
  ServeMetrics& metrics_;
  ForegroundLoad* foreground_;
  ThreadPool pool_;
  std::mutex mutex_;
  std::condition_variable filled_;
  std::deque<SearchTask> waiting_;
  size_t under_way_ = 0;  // of the batch that was taken last
  bool closed_ = false, others_about_ = false;
  double search_s_ = 0;                                    // a search's share of its batch's time, a running mean
  SteadyClock::time_point short_at_ = SteadyClock::now();  // when less than a batch waited
  double patience_s_ = 0;  // how long the last searches may wait in a queue that stays long
  std::atomic<bool> full_{false};
  std::thread thread_;
};

}  // namespace pagoda::server
