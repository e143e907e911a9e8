// Where live events outlive the process: a journal beside the bundle, or a Redis that several servers share.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "retrieval/live_events.h"

namespace pagoda::server {

// The events cannot be reached now, and may be later.
class EventsAway : public Error {
 public:
  explicit EventsAway(const std::string& message) : Error(ErrorKind::failed, message) {}
};

// One thread calls what is not const; const functions are thread-safe.
class EventLog {
 public:
  virtual ~EventLog() = default;

  // Takes up what another process wrote, where that can be known at once.
  virtual void refresh() {}
  // Writes events; when it returns they are kept, and held unless !is_live(). JournalBusy: another process writes;
  // another Error{failed}: none of them is kept. EventsAway: they may be, if the connection broke before the reply.
  virtual void take(std::vector<retrieval::LiveEvent> events) = 0;
  // Work that is due between the calls of take(). Returns whether some is under way, so that it is called again soon.
  virtual bool maintain() { return false; }

  virtual const retrieval::LiveEvents& held() const = 0;
  virtual bool is_live() const { return true; }  // false: held() may lack what another server took
};

// The journal at `path`, which it reads. Compaction yields to the requests of `foreground`; nullptr: it does not yield.
// Errors of EventJournal::read.
std::unique_ptr<EventLog> make_journal_log(std::string path, const retrieval::LiveEventsOptions& options,
                                           const ForegroundLoad* foreground = nullptr);

struct RedisAddress {
  std::string url;       // redis://HOST[:PORT][/DATABASE]
  std::string key;       // of the stream
  std::string password;  // "": none
};
// A stream of Redis or Valkey, of which a thread reads what all servers append. Starts, and goes on without the latest
// events, while it cannot be reached. Error{usage}: the url is none.
std::unique_ptr<EventLog> make_redis_log(const RedisAddress& address, const retrieval::LiveEventsOptions& options);

}  // namespace pagoda::server
