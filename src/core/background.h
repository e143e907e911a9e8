// Background work that yields to requests that somebody waits for.
//
// Thread priorities alone are not enough: the system may let a thread that has waited run for a whole tick, some
// milliseconds, whatever its priority; and a search that uses all CPUs ends only when the last of its threads does.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>

namespace pagoda {

// The number of requests that somebody waits for. Shared by the thread that answers them and the background threads.
// Thread-safe.
class ForegroundLoad {
 public:
  void add(int64_t more) { requests_.fetch_add(more, std::memory_order_relaxed); }
  bool any() const { return requests_.load(std::memory_order_relaxed) > 0; }

 private:
  std::atomic<int64_t> requests_{0};
};

// Throttles one background thread. It is passed to the loops that do the work, which call yield_to_foreground(throttle)
// between pieces of work. nullptr stands for work that somebody waits for.
//
// The work is never starved: it yields for at most three times the CPU time that it has used, plus kCredit.
class BackgroundThrottle {
 public:
  static constexpr std::chrono::milliseconds kCredit{5};

  // What the throttle measures and how it waits; tests pass their own.
  struct Times {
    std::function<std::chrono::nanoseconds()> cpu;  // CPU time of the calling thread
    std::function<std::chrono::nanoseconds()> now;
    std::function<void(std::chrono::nanoseconds)> sleep;
  };
  static Times system_times();

  // `foreground` is borrowed. Only the calling thread may use the throttle.
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

// Call it between pieces of work that take far less than a millisecond each, and hold no lock: a request may need the
// lock. It costs next to nothing without a throttle and while nobody waits.
inline void yield_to_foreground(BackgroundThrottle* throttle) {
  if (throttle) throttle->yield();
}

// The same for a loop over rows that take a microsecond or less each.
inline void yield_every_64(BackgroundThrottle* throttle, size_t row) {
  if (row % 64 == 0) yield_to_foreground(throttle);
}

}  // namespace pagoda
