// The latest of what users have done, as the server was told.
#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "retrieval/retrieval.h"

namespace pagoda::retrieval {

struct LiveEvent {
  static constexpr size_t kMaxText = 1024;  // bytes of each text
  std::string user{}, item{};               // not empty
  int64_t time_us = 0;
  std::vector<std::pair<std::string, std::string>> context{};  // of the event; values by column
  std::string kind{};                                          // of data.events; "": a positive one
  std::string id{};  // an event with the id of another is that event; "": none
  bool operator==(const LiveEvent&) const = default;
};

// Whether no text of it is longer than kMaxText.
bool fits(const LiveEvent& event);

struct LiveEventsOptions {
  size_t events = 1000000;      // in all; beyond it, the users whose latest event came first are let go
  size_t events_of_user = 100;  // of these the latest stay; at most `events`
};

// Holds the latest events of each user in bounded memory: about 300 bytes an event. The same events in the same order
// of arrival leave the same state. Thread-safe.
class LiveEvents {
 public:
  explicit LiveEvents(const LiveEventsOptions& options) : options_(options) {}

  // False: it has an event with this id already.
  bool add(LiveEvent event);
  bool has(std::string_view id) const;
  void swap(LiveEvents& other) noexcept;

  // Puts the events of the request's user before the request's own `recent` and `events`, in the order of their times,
  // and the context of the latest into what the request leaves open. An event that the bundle was trained with is left
  // out: its item is in the known history, and its time is not after the bundle's moment (without times in the log: its
  // item is in the known history). Returns how many were put; 0 when the request brings a history of its own.
  size_t put_into(RetrieveRequest& request, const Retrieval& retrieval) const;

  // Those of one user, by time, events of one time by arrival; and those of all users by arrival.
  std::vector<LiveEvent> of_user(std::string_view user) const;
  std::vector<LiveEvent> all() const;

  struct Counts {
    size_t events = 0, users = 0;
    uint64_t users_let_go = 0;
  };
  Counts counts() const;

 private:
  struct Held {
    LiveEvent event;  // without its user
    uint64_t arrival;
  };
  struct OfUser {
    std::vector<Held> events;  // by time, events of one time by arrival
    std::list<std::string_view>::iterator place;
  };
  void drop(OfUser& of, std::vector<Held>::iterator event);
  void let_oldest_user_go();
  LiveEventsOptions options_;
  mutable std::shared_mutex mutex_;
  std::unordered_map<std::string, OfUser> users_;
  std::list<std::string_view> by_latest_;  // keys of users_; the one whose latest event came first is first
  std::unordered_set<std::string> ids_;
  size_t events_ = 0;
  uint64_t arrivals_ = 0, users_let_go_ = 0;
};

}  // namespace pagoda::retrieval
