// The queue of searches, and the thread that answers them; it answers searches together that one call can answer.
//
// The queue bounds its length and its waiting time: it rejects at once what does not fit, or would wait beyond its
// deadline at the current speed. A late answer costs as much as a timely one, so under overload a queue that took
// everything would answer nobody. Each search is answered by its deadline, or told that the deadline passed.
//
// A queue that is long for a moment absorbs a burst; one that stays long only makes everybody wait. So when it has not
// been short for a while, a search may wait for only a small part of the time to its deadline.
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

// Candidates for a user, or for a query vector if there is one.
struct CandidateQuery {
  retrieval::RetrieveRequest request;
  std::vector<float> vector;
  retrieval::RetrieveOptions options;
  size_t live_events = 0;  // of the user's, in `request`
  bool live = true;        // false: later ones may be missing
};
struct SimilarQuery {
  uint32_t item;  // row
  size_t k;
};
struct UserVectorsQuery {
  std::vector<retrieval::RetrieveRequest> users;
};
// Vectors of known items by row, and of items with given attributes (row Interner::kNone) from the item tower.
struct ItemVectorsQuery {
  std::vector<uint32_t> rows;
  data::Attributes provided;  // in the order of the kNone rows
};

// The outcome of a search: an error, or the results.
struct SearchOutcome {
  enum class Error { none, invalid, timed_out, failed };
  Error error = Error::none;
  std::string message{}, field{};  // of the error

  bool user_known = false;
  size_t live_events = 0;  // that the user vector knows of
  bool live = true;
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
  std::function<void(SearchOutcome)> done;  // called once, on the queue's thread; must not throw or take long
  SteadyClock::time_point queued{};
};

struct SearchQueueOptions {
  size_t limit = 1024, batch = 64;
  std::chrono::microseconds wait{500};
  int threads = 0;
};

class SearchQueue {
 public:
  // Borrows metrics and foreground; foreground (or nullptr) counts the searches that wait or are under way.
  SearchQueue(const SearchQueueOptions& options, ServeMetrics& metrics, ForegroundLoad* foreground = nullptr);
  ~SearchQueue();  // answers the waiting searches first

  // Takes all of them; or none, and returns false, when they cannot all be answered in time. Thread-safe.
  bool push(std::vector<SearchTask> queries);

  // Whether push would now reject a search with a deadline like those of the last ones. Cheap, for a transport to ask
  // before it reads a request. Thread-safe.
  bool full() const { return full_.load(std::memory_order_relaxed); }

 private:
  void loop();
  std::vector<SearchTask> take();  // empty once the queue is closed
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
  size_t under_way_ = 0;  // size of the batch that was taken last
  bool closed_ = false, others_about_ = false;
  double search_s_ = 0;                                    // seconds per search in a batch, running mean
  SteadyClock::time_point short_at_ = SteadyClock::now();  // when less than a batch waited last
  double patience_s_ = 0;  // how long the last searches may wait while the queue stays long
  std::atomic<bool> full_{false};
  std::thread thread_;
};

}  // namespace pagoda::server
