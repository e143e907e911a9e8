// The threads of an object that any number of threads call.
#pragma once

#include <mutex>

#include "core/thread_pool.h"

namespace pagoda::library {

// A ThreadPool runs for one thread at a time. A call that finds it busy gets a pool of its caller's thread alone: many
// callers keep the CPUs busy by themselves, and no answer depends on the number of threads.
class CallPool {
 public:
  explicit CallPool(int threads) : pool_(threads) {}

  template <class F>
  auto run(F f) {
    if (const std::unique_lock lock(mutex_, std::try_to_lock); lock) return f(pool_);
    ThreadPool alone(1);
    return f(alone);
  }

 private:
  std::mutex mutex_;
  ThreadPool pool_;
};

}  // namespace pagoda::library
