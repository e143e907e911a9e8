// MaintenanceFn in the background that makes room for requests that somebody waits for.
//
// Priorities alone do not: the system may let a thread that has waited run for a whole tick, some milliseconds,
// whatever its priority; and a search that uses all CPUs ends when the last of its threads does.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>

namespace pagoda {

// How many requests somebody waits for. Shared between the one who answers them and those who work in the background.
// Thread-safe.
class ForegroundLoad {
 public:
  void add(int64_t more) { requests_.fetch_add(more, std::memory_order_relaxed); }
  bool any() const { return requests_.load(std::memory_order_relaxed) > 0; }

 private:
  std::atomic<int64_t> requests_{0};
};

// The leave to work that one thread in the background has. It is handed down to the loops that do the work, which call
// yield_to_foreground(throttle) between pieces of work; nullptr stands for work that somebody waits for.
//
// The work is never starved: it yields for three times as long as it has had a CPU, and kCredit, at most.
class BackgroundThrottle {
 public:
  static constexpr std::chrono::milliseconds kCredit{5};

  // What the throttle measures and how it waits; tests pass their own.
  struct Times {
    std::function<std::chrono::nanoseconds()> cpu;  // that the calling thread has had
    std::function<std::chrono::nanoseconds()> now;
    std::function<void(std::chrono::nanoseconds)> sleep;
  };
  static Times system_times();

  // `foreground` is borrowed. For the calling thread alone.
  explicit BackgroundThrottle(const ForegroundLoad& foreground, Times times = system_times());
  BackgroundThrottle(const BackgroundThrottle&) = delete;
  BackgroundThrottle& operator=(const BackgroundThrottle&) = delete;

  void yield() {
    if (foreground_.any()) wait();
  }

 private:
  void wait();
  const ForegroundLoad& foreground_;
  Times times_;
  std::chrono::nanoseconds began_, yielded_{0};
};

// Between pieces of work that take far less than a millisecond each, with no lock held: a request may need the lock.
// Costs next to nothing without a throttle and while nobody waits.
inline void yield_to_foreground(BackgroundThrottle* throttle) {
  if (throttle) throttle->yield();
}

// The same, in a loop over rows that take a microsecond or less each.
inline void yield_every_64(BackgroundThrottle* throttle, size_t row) {
  if (row % 64 == 0) yield_to_foreground(throttle);
}

}  // namespace pagoda
