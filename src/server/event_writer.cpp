#include "server/event_writer.h"

#include <algorithm>
#include <chrono>
#include <string_view>
#include <unordered_set>

#include "core/line_journal.h"
#include "core/log.h"

namespace pagoda::server {
namespace {

constexpr size_t kMaxWaiting = 10000;  // events
constexpr std::chrono::milliseconds kMaintenance{200};

}  // namespace

EventWriter::EventWriter(std::unique_ptr<EventLog> log) : log_(std::move(log)), thread_([this] { loop(); }) {}

void EventWriter::close() {
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
  }
  woken_.notify_all();
  if (thread_.joinable()) thread_.join();
}

bool EventWriter::add(std::vector<retrieval::LiveEvent> events, std::function<void(Result)> done) {
  {
    const std::lock_guard lock(mutex_);
    if (closed_ || (events_waiting_ > 0 && events_waiting_ + events.size() > kMaxWaiting)) return false;
    events_waiting_ += events.size();
    waiting_.push_back({std::move(events), std::move(done)});
  }
  woken_.notify_all();
  return true;
}

void EventWriter::loop() {
  bool busy = false;
  for (bool closed = false; !closed;) {
    std::vector<Request> requests;
    {
      std::unique_lock lock(mutex_);
      const auto woken = [&] { return closed_ || !waiting_.empty(); };
      if (busy)
        woken_.wait_for(lock, kMaintenance, woken);
      else
        woken_.wait(lock, woken);
      closed = closed_;
      requests.swap(waiting_);
      events_waiting_ = 0;
    }
    if (!requests.empty()) {
      const auto results = take(requests);
      for (size_t i = 0; i < requests.size(); ++i) requests[i].done(results[i]);
    }
    busy = !closed && log_->maintain();
  }
}

// An event with an id that is held, or that comes before in the same batch, is not written again.
std::vector<EventWriter::Result> EventWriter::take(const std::vector<Request>& requests) {
  std::vector<Result> results(requests.size());
  const auto none_because = [&](Outcome outcome, const std::exception& e) {
    log_warning("events cannot be taken: {}", e.what());
    std::ranges::fill(results, Result{outcome});
  };
  try {
    log_->refresh();
    std::vector<retrieval::LiveEvent> fresh;
    std::unordered_set<std::string_view> ids;
    for (size_t i = 0; i < requests.size(); ++i)
      for (const auto& event : requests[i].events) {
        if (!event.id.empty() && (held().has(event.id) || !ids.insert(event.id).second))
          ++results[i].repeated;
        else
          fresh.push_back(event);
      }
    if (!fresh.empty()) log_->take(std::move(fresh));
  } catch (const JournalBusy& e) {
    none_because(Outcome::busy, e);
  } catch (const EventsAway& e) {
    none_because(Outcome::away, e);
  } catch (const std::exception& e) {
    none_because(Outcome::failed, e);
  }
  return results;
}

}  // namespace pagoda::server
