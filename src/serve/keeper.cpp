#include "serve/keeper.h"

#include <algorithm>

#include "core/log.h"

namespace pagoda {

Keeper::Keeper(const KeeperOptions& options, Snapshots& snapshots, ServeMetrics& metrics)
    : options_(options), snapshots_(snapshots), metrics_(metrics), thread_([this] { loop(); }) {}

Keeper::~Keeper() {
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
  }
  woken_.notify_all();
  thread_.join();
}

void Keeper::reload() {
  {
    const std::lock_guard lock(mutex_);
    asked_ = true;
  }
  woken_.notify_all();
}

bool Keeper::change(std::vector<ItemChange> changes, std::function<void(Made)> done) {
  {
    const std::lock_guard lock(mutex_);
    if (changes_waiting_ + changes.size() > options_.most_waiting) return false;
    changes_waiting_ += changes.size();
    waiting_.push_back({std::move(changes), std::move(done)});
  }
  woken_.notify_all();
  return true;
}

void Keeper::loop() {
  for (bool closed = false; !closed;) {
    bool asked;
    std::vector<Request> requests;
    {
      std::unique_lock lock(mutex_);
      const auto woken = [&] { return asked_ || closed_ || !waiting_.empty(); };
      if (options_.watch.count() > 0)
        woken_.wait_for(lock, options_.watch, woken);
      else
        woken_.wait(lock, woken);
      closed = closed_;
      asked = std::exchange(asked_, false);
      requests.swap(waiting_);
      changes_waiting_ = 0;
    }
    if (!closed && (asked || snapshots_.changed())) metrics_.reload(snapshots_.reload());
    if (!requests.empty()) make(requests);
    const auto now = snapshots_.current();
    const auto* additions = now->retrieval.additions();
    metrics_.added_items(additions ? additions->items().rows() : 0);
  }
}

void Keeper::make(const std::vector<Request>& requests) {
  const auto before = snapshots_.current();
  const auto* additions = before->retrieval.additions();
  size_t items = additions ? additions->items().rows() : 0;
  std::vector<ItemChange> changes;
  std::vector<Made> made(requests.size(), Made::full);
  for (size_t i = 0; i < requests.size(); ++i) {
    const auto& more = requests[i].changes;
    const auto added = static_cast<size_t>(std::ranges::count_if(more, [&](const ItemChange& change) {
      return !change.deleted && !(additions && additions->items().ids.find(change.item) != Interner::kNone);
    }));
    if (added > 0 && items + added > options_.most_added) continue;
    items += added;
    changes.insert(changes.end(), more.begin(), more.end());
    made[i] = Made::yes;
  }
  try {
    if (!changes.empty()) snapshots_.change(changes);
  } catch (const std::exception& e) {
    log_warning("items can not be changed: {}", e.what());
    std::ranges::replace(made, Made::yes, Made::failed);
  }
  for (size_t i = 0; i < requests.size(); ++i) requests[i].done(made[i]);
}

}  // namespace pagoda
