// The one thread that takes live events: it writes them to their log, and then they count.
#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "server/event_log.h"

namespace pagoda::server {

// What a call of /v1/events did.
struct TakenEvents {
  size_t events = 0;         // all of the call
  size_t repeated = 0;       // of these, held already by their ids
  size_t unknown_items = 0;  // of these, with an item that is not in the catalogue
};

class EventWriter {
 public:
  enum class Outcome { taken, busy, away, failed };  // busy: another process writes the log
  struct Result {
    Outcome outcome = Outcome::taken;
    size_t repeated = 0;
  };

  explicit EventWriter(std::unique_ptr<EventLog> log);  // starts the thread
  ~EventWriter() { close(); }
  void close();  // takes the waiting events and ends the thread; add() refuses what comes later

  // Asynchronous, thread-safe. Calls `done` on the writer's thread when all events are kept and count, or none of them
  // can be taken. Returns false, and does nothing, when too many events wait. Events that arrive while others are
  // written are written together.
  bool add(std::vector<retrieval::LiveEvent> events, std::function<void(Result)> done);

  const EventLog& log() const { return *log_; }
  const retrieval::LiveEvents& held() const { return log_->held(); }

 private:
  struct Request {
    std::vector<retrieval::LiveEvent> events;
    std::function<void(Result)> done;
  };
  void loop();
  std::vector<Result> take(const std::vector<Request>& requests);

  std::unique_ptr<EventLog> log_;
  std::mutex mutex_;
  std::condition_variable woken_;
  std::vector<Request> waiting_;
  size_t events_waiting_ = 0;
  bool closed_ = false;
  std::thread thread_;
};

}  // namespace pagoda::server
