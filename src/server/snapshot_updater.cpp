#include "server/snapshot_updater.h"

#include <algorithm>
#include <optional>

#include "core/log.h"
#include "core/priority.h"

namespace pagoda::server {
namespace {

using SteadyClock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kReleaseInterval{100};  // how often former snapshots are released
constexpr std::chrono::seconds kRetryMaintenance{60};       // after maintenance that failed
// CPU priorities: searches come first, then changes, then maintenance.
constexpr int kNiceChange = 10, kNiceMaintenance = 15;

// The throttle of the calling thread, if there is foreground load to yield to.
class OwnThrottle {
 public:
  explicit OwnThrottle(const ForegroundLoad* foreground) {
    if (foreground) throttle_.emplace(*foreground);
  }
  BackgroundThrottle* get() const { return throttle_ ? &*throttle_ : nullptr; }

 private:
  mutable std::optional<BackgroundThrottle> throttle_;
};

}  // namespace

SnapshotUpdater::SnapshotUpdater(const SnapshotUpdaterOptions& options, retrieval::Snapshots& snapshots,
                                 ServeMetrics& metrics, const ForegroundLoad* foreground)
    : options_(options), snapshots_(snapshots), metrics_(metrics), foreground_(foreground),
      thread_([this] { loop(); }) {}

SnapshotUpdater::~SnapshotUpdater() {
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
  }
  woken_.notify_all();
  thread_.join();
}

void SnapshotUpdater::reload() {
  {
    const std::lock_guard lock(mutex_);
    asked_ = true;
  }
  woken_.notify_all();
}

bool SnapshotUpdater::change(std::vector<retrieval::ItemChange> changes, std::function<void(ChangeResult)> done) {
  {
    const std::lock_guard lock(mutex_);
    if (changes_waiting_ + changes.size() > options_.max_waiting) return false;
    changes_waiting_ += changes.size();
    waiting_.push_back({std::move(changes), std::move(done)});
  }
  woken_.notify_all();
  return true;
}

void SnapshotUpdater::loop() {
  lower_priority(kNiceChange);
  bool all_released = true;
  for (bool closed = false; !closed;) {
    bool asked, maintenance_done;
    std::vector<Request> requests;
    {
      std::unique_lock lock(mutex_);
      const auto woken = [&] { return asked_ || closed_ || maintenance_done_ || !waiting_.empty(); };
      auto wait = options_.watch;
      if (!all_released) wait = wait.count() > 0 ? std::min(wait, kReleaseInterval) : kReleaseInterval;
      if (wait.count() > 0)
        woken_.wait_for(lock, wait, woken);
      else
        woken_.wait(lock, woken);
      closed = closed_;
      asked = std::exchange(asked_, false);
      maintenance_done = std::exchange(maintenance_done_, false);
      requests.swap(waiting_);
      changes_waiting_ = 0;
    }
    const OwnThrottle throttle(foreground_);
    if (!closed && (asked || snapshots_.changed())) metrics_.reload(snapshots_.reload(throttle.get()));
    if (!requests.empty()) apply(requests, throttle.get());
    if (maintenance_done) end_maintenance();
    if (!closed) begin_maintenance();
    all_released = snapshots_.release_former();
    count_items();
  }
  if (maintenance_.valid()) maintenance_.wait();
}

void SnapshotUpdater::count_items() {
  const auto now = snapshots_.current();
  const auto& fresh = now->retrieval.fresh();
  metrics_.added_items(now->retrieval.added_items(), fresh ? fresh->items().rows() : 0);
}

void SnapshotUpdater::begin_maintenance() {
  if (maintenance_.valid() || SteadyClock::now() < next_maintenance_) return;
  try {
    if (auto work = snapshots_.maintenance()) start_maintenance(std::move(work));
  } catch (const std::exception& e) {  // no thread could be started, for example
    maintenance_failed(e);
  }
}

void SnapshotUpdater::start_maintenance(retrieval::Snapshots::MaintenanceFn work) {
  maintenance_ = std::async(std::launch::async, [this, work = std::move(work)] {
    lower_priority(kNiceMaintenance);
    const OwnThrottle throttle(foreground_);
    const auto tell = [this] {
      {
        const std::lock_guard lock(mutex_);
        maintenance_done_ = true;
      }
      woken_.notify_all();
    };
    try {
      auto finish = work(throttle.get());
      tell();
      return finish;
    } catch (...) {
      tell();
      throw;
    }
  });
}

void SnapshotUpdater::end_maintenance() {
  try {
    maintenance_.get()();
  } catch (const std::exception& e) {
    maintenance_failed(e);
  }
}

void SnapshotUpdater::maintenance_failed(const std::exception& e) {
  log_warning("added items cannot be merged, or their journal cannot be compacted: {}", e.what());
  next_maintenance_ = SteadyClock::now() + kRetryMaintenance;
}

SnapshotUpdater::ChangeResult SnapshotUpdater::try_change(const std::vector<retrieval::ItemChange>& changes,
                                                          BackgroundThrottle* throttle) {
  try {
    snapshots_.change(changes, throttle);
    return ChangeResult::applied;
  } catch (const JournalBusy& e) {
    log_warning("items cannot be changed: {}", e.what());
    return ChangeResult::busy;
  } catch (const std::exception& e) {
    log_warning("items cannot be changed: {}", e.what());
    return ChangeResult::failed;
  }
}

void SnapshotUpdater::apply(const std::vector<Request>& requests, BackgroundThrottle* throttle) {
  const auto before = snapshots_.current();
  const auto& retrieval = before->retrieval;
  const auto bottom = before->bundle().item_ids().size();
  size_t items = retrieval.added_items();
  std::vector<retrieval::ItemChange> changes;
  std::vector<ChangeResult> made(requests.size(), ChangeResult::full);
  for (size_t i = 0; i < requests.size(); ++i) {
    const auto& more = requests[i].changes;
    const auto added = static_cast<size_t>(std::ranges::count_if(more, [&](const retrieval::ItemChange& change) {
      if (change.deleted) return false;
      const auto row = retrieval.find_item(change.item);
      return row == columns::Interner::kNone || row < bottom;
    }));
    if (added > 0 && items + added > options_.max_added) continue;
    items += added;
    changes.insert(changes.end(), more.begin(), more.end());
    made[i] = ChangeResult::applied;
  }
  if (const auto all = changes.empty() ? ChangeResult::applied : try_change(changes, throttle);
      all == ChangeResult::busy)
    std::ranges::replace(made, ChangeResult::applied, all);
  else if (all == ChangeResult::failed && std::ranges::count(made, ChangeResult::applied) == 1)
    std::ranges::replace(made, ChangeResult::applied, all);
  else if (all == ChangeResult::failed)
    for (size_t i = 0; i < requests.size(); ++i)  // one by one, so that only the change that cannot be made fails
      if (made[i] == ChangeResult::applied) made[i] = try_change(requests[i].changes, throttle);
  count_items();  // before the clients are answered, so that they find their items counted
  for (size_t i = 0; i < requests.size(); ++i) requests[i].done(made[i]);
}

}  // namespace pagoda::server
