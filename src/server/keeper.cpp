#include "server/keeper.h"

#include <sched.h>
#include <sys/resource.h>

#include <algorithm>
#include <optional>

#include "core/log.h"

namespace pagoda {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kLetGo{100};  // how often former snapshots are looked at
constexpr std::chrono::seconds kRetry{60};        // after upkeep that failed
// Searches come first, then changes, then upkeep.
constexpr int kNiceChange = 10, kNiceUpkeep = 15;

// Of the calling thread. A batch thread that wakes interrupts nobody.
void lower_priority(int nice) {
  constexpr sched_param kNone{};
  if (::sched_setscheduler(0, SCHED_BATCH, &kNone) != 0 || ::setpriority(PRIO_PROCESS, 0, nice) != 0)
    log_debug("a thread of the keeper has the usual priority");
}

// Of the calling thread, where there is somebody to yield to.
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

Keeper::Keeper(const KeeperOptions& options, Snapshots& snapshots, ServeMetrics& metrics,
               const ForegroundLoad* foreground)
    : options_(options), snapshots_(snapshots), metrics_(metrics), foreground_(foreground),
      thread_([this] { loop(); }) {}

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
  lower_priority(kNiceChange);
  bool all_let_go = true;
  for (bool closed = false; !closed;) {
    bool asked, upkeep_done;
    std::vector<Request> requests;
    {
      std::unique_lock lock(mutex_);
      const auto woken = [&] { return asked_ || closed_ || upkeep_done_ || !waiting_.empty(); };
      auto wait = options_.watch;
      if (!all_let_go) wait = wait.count() > 0 ? std::min(wait, kLetGo) : kLetGo;
      if (wait.count() > 0)
        woken_.wait_for(lock, wait, woken);
      else
        woken_.wait(lock, woken);
      closed = closed_;
      asked = std::exchange(asked_, false);
      upkeep_done = std::exchange(upkeep_done_, false);
      requests.swap(waiting_);
      changes_waiting_ = 0;
    }
    const OwnThrottle throttle(foreground_);
    if (!closed && (asked || snapshots_.changed())) metrics_.reload(snapshots_.reload(throttle.get()));
    if (!requests.empty()) make(requests, throttle.get());
    if (upkeep_done) end_upkeep();
    if (!closed) begin_upkeep();
    all_let_go = snapshots_.let_go();
    count_items();
  }
  if (upkeep_.valid()) upkeep_.wait();
}

void Keeper::count_items() {
  const auto now = snapshots_.current();
  const auto& fresh = now->retrieval.fresh();
  metrics_.added_items(now->retrieval.added_items(), fresh ? fresh->items().rows() : 0);
}

void Keeper::begin_upkeep() {
  if (upkeep_.valid() || Clock::now() < next_upkeep_) return;
  try {
    if (auto work = snapshots_.upkeep()) start_upkeep(std::move(work));
  } catch (const std::exception& e) {  // such as: no more threads
    upkeep_failed(e);
  }
}

void Keeper::start_upkeep(Snapshots::Work work) {
  upkeep_ = std::async(std::launch::async, [this, work = std::move(work)] {
    lower_priority(kNiceUpkeep);
    const OwnThrottle throttle(foreground_);
    const auto tell = [this] {
      {
        const std::lock_guard lock(mutex_);
        upkeep_done_ = true;
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

void Keeper::end_upkeep() {
  try {
    upkeep_.get()();
  } catch (const std::exception& e) {
    upkeep_failed(e);
  }
}

void Keeper::upkeep_failed(const std::exception& e) {
  log_warning("added items can not be merged, nor their journal shortened: {}", e.what());
  next_upkeep_ = Clock::now() + kRetry;
}

Keeper::Made Keeper::try_change(const std::vector<ItemChange>& changes, BackgroundThrottle* throttle) {
  try {
    snapshots_.change(changes, throttle);
    return Made::yes;
  } catch (const JournalBusy& e) {
    log_warning("items can not be changed: {}", e.what());
    return Made::busy;
  } catch (const std::exception& e) {
    log_warning("items can not be changed: {}", e.what());
    return Made::failed;
  }
}

void Keeper::make(const std::vector<Request>& requests, BackgroundThrottle* throttle) {
  const auto before = snapshots_.current();
  const auto& retrieval = before->retrieval;
  const auto bottom = before->bundle().item_ids().size();
  size_t items = retrieval.added_items();
  std::vector<ItemChange> changes;
  std::vector<Made> made(requests.size(), Made::full);
  for (size_t i = 0; i < requests.size(); ++i) {
    const auto& more = requests[i].changes;
    const auto added = static_cast<size_t>(std::ranges::count_if(more, [&](const ItemChange& change) {
      if (change.deleted) return false;
      const auto row = retrieval.find_item(change.item);
      return row == Interner::kNone || row < bottom;
    }));
    if (added > 0 && items + added > options_.most_added) continue;
    items += added;
    changes.insert(changes.end(), more.begin(), more.end());
    made[i] = Made::yes;
  }
  if (const auto all = changes.empty() ? Made::yes : try_change(changes, throttle); all == Made::busy)
    std::ranges::replace(made, Made::yes, all);
  else if (all == Made::failed && std::ranges::count(made, Made::yes) == 1)
    std::ranges::replace(made, Made::yes, all);
  else if (all == Made::failed)
    for (size_t i = 0; i < requests.size(); ++i)  // each alone: one that can not be made is not the others' fault
      if (made[i] == Made::yes) made[i] = try_change(requests[i].changes, throttle);
  count_items();  // whoever is answered finds them counted
  for (size_t i = 0; i < requests.size(); ++i) requests[i].done(made[i]);
}

}  // namespace pagoda
