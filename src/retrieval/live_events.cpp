#include "retrieval/live_events.h"

#include <algorithm>
#include <mutex>

namespace pagoda::retrieval {
namespace {

bool names(const RetrieveRequest& request, const std::string& column) {
  return std::ranges::any_of(request.context, [&](const auto& one) { return one.first == column; });
}

}  // namespace

bool fits(const LiveEvent& event) {
  const auto fits = [](const std::string& text) { return text.size() <= LiveEvent::kMaxText; };
  return fits(event.user) && fits(event.item) && fits(event.kind) && fits(event.id) &&
         std::ranges::all_of(event.context, [&](const auto& one) { return fits(one.first) && fits(one.second); });
}

bool LiveEvents::has(std::string_view id) const {
  const std::shared_lock lock(mutex_);
  return ids_.contains(std::string(id));
}

void LiveEvents::swap(LiveEvents& other) noexcept {
  const std::scoped_lock lock(mutex_, other.mutex_);
  std::swap(options_, other.options_);
  users_.swap(other.users_);
  by_latest_.swap(other.by_latest_);
  ids_.swap(other.ids_);
  std::swap(events_, other.events_);
  std::swap(arrivals_, other.arrivals_);
  std::swap(users_let_go_, other.users_let_go_);
}

bool LiveEvents::add(LiveEvent event) {
  const std::unique_lock lock(mutex_);
  if (!event.id.empty() && !ids_.insert(event.id).second) return false;
  const auto [user, is_new] = users_.try_emplace(std::move(event.user));
  auto& of = user->second;
  // Later than it are as many as are held: it is let go at once, as if it had not come.
  if (of.events.size() == options_.events_of_user && event.time_us < of.events.front().event.time_us) {
    ids_.erase(event.id);
    return true;
  }
  if (is_new)
    of.place = by_latest_.insert(by_latest_.end(), user->first);
  else
    by_latest_.splice(by_latest_.end(), by_latest_, of.place);
  event.user.clear();
  const auto after =
      std::ranges::upper_bound(of.events, event.time_us, {}, [](const Held& held) { return held.event.time_us; });
  of.events.insert(after, {std::move(event), arrivals_++});
  ++events_;
  if (of.events.size() > options_.events_of_user) drop(of, of.events.begin());
  while (events_ > options_.events) let_oldest_user_go();
  return true;
}

void LiveEvents::drop(OfUser& of, std::vector<Held>::iterator event) {
  ids_.erase(event->event.id);
  of.events.erase(event);
  --events_;
}

void LiveEvents::let_oldest_user_go() {
  const auto user = users_.find(std::string(by_latest_.front()));
  for (const auto& held : user->second.events) ids_.erase(held.event.id);
  events_ -= user->second.events.size();
  by_latest_.pop_front();
  users_.erase(user);
  ++users_let_go_;
}

size_t LiveEvents::put_into(RetrieveRequest& request, const Retrieval& retrieval) const {
  if (!request.user || request.history) return 0;
  auto events = of_user(*request.user);
  std::erase_if(events, [&](const LiveEvent& event) {
    return retrieval.in_known_history(*request.user, event.item, event.kind, event.time_us);
  });
  for (auto event = events.rbegin(); event != events.rend(); ++event)  // the latest value of a column counts
    for (auto& [column, value] : event->context)
      if (!names(request, column)) request.context.emplace_back(column, std::move(value));
  // Of positive kinds in one list, so that they keep the order of their times.
  std::vector<std::string> items;
  std::vector<std::pair<std::string, std::vector<std::string>>> of_kinds;
  for (auto& event : events) {
    if (retrieval.is_positive(event.kind)) {
      items.push_back(std::move(event.item));
      continue;
    }
    auto of = std::ranges::find(of_kinds, event.kind, [](const auto& one) { return one.first; });
    if (of == of_kinds.end()) of = of_kinds.insert(of, {event.kind, {}});
    of->second.push_back(std::move(event.item));
  }
  std::ranges::move(request.recent, std::back_inserter(items));
  request.recent = std::move(items);
  std::ranges::move(request.events, std::back_inserter(of_kinds));
  request.events = std::move(of_kinds);
  return events.size();
}

std::vector<LiveEvent> LiveEvents::of_user(std::string_view user) const {
  const std::shared_lock lock(mutex_);
  std::vector<LiveEvent> events;
  if (const auto found = users_.find(std::string(user)); found != users_.end())
    for (const auto& held : found->second.events) events.push_back(held.event);
  for (auto& event : events) event.user = user;
  return events;
}

std::vector<LiveEvent> LiveEvents::all() const {
  const std::shared_lock lock(mutex_);
  std::vector<std::pair<uint64_t, LiveEvent>> events;
  events.reserve(events_);
  for (const auto& [user, of] : users_)
    for (const auto& held : of.events) {
      events.emplace_back(held.arrival, held.event);
      events.back().second.user = user;
    }
  std::ranges::sort(events, {}, [](const auto& one) { return one.first; });
  std::vector<LiveEvent> sorted;
  for (auto& [arrival, event] : events) sorted.push_back(std::move(event));
  return sorted;
}

LiveEvents::Counts LiveEvents::counts() const {
  const std::shared_lock lock(mutex_);
  return {events_, users_.size(), users_let_go_};
}

}  // namespace pagoda::retrieval
