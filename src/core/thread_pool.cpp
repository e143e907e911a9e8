#include "core/thread_pool.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "core/cpus.h"
#include "core/error.h"

namespace pagoda {

namespace {

thread_local bool inside_task = false;

// Waits for some 30 us until `f` holds; a thread that is put to sleep takes about as long to wake.
template <class F>
void spin_until(F f) {
  for (int spin = 0; spin < 2000 && !f(); ++spin) {
#ifdef __x86_64__
    __builtin_ia32_pause();
#endif
  }
}

// One call of run. Workers share its ownership: one that wakes late, when the tasks are all taken, finds nothing to do
// and is not waited for (on a busy machine waking a thread takes longer than most runs).
//
// Each thread has a share of the tasks, takes them in order, and then what is left of the others' shares: tasks that
// come back in the next run find their data in the caches of the thread that had them before.
struct Job {
  struct alignas(64) Share {
    std::atomic<size_t> next{0};
    size_t end = 0;
  };

  const std::function<void(size_t)>* task;
  size_t n;
  std::vector<Share> shares;
  std::atomic<size_t> finished{0};
  std::mutex mutex;
  std::condition_variable done;
  std::exception_ptr error;
  size_t error_task = SIZE_MAX;

  Job(const std::function<void(size_t)>& of_run, size_t tasks, size_t threads)
      : task(&of_run), n(tasks), shares(threads) {
    for (size_t t = 0; t < threads; ++t) {
      shares[t].next = t * n / threads;
      shares[t].end = (t + 1) * n / threads;
    }
  }

  void work(size_t thread) {
    inside_task = true;
    for (size_t k = 0; k < shares.size(); ++k) {
      Share& share = shares[(thread + k) % shares.size()];
      for (size_t i; (i = share.next.fetch_add(1, std::memory_order_relaxed)) < share.end;) work_on(i);
    }
    inside_task = false;
  }

  void work_on(size_t i) {
    try {
      (*task)(i);
    } catch (...) {
      std::lock_guard lock(mutex);
      if (i < error_task) {
        error_task = i;
        error = std::current_exception();
      }
    }
    if (finished.fetch_add(1, std::memory_order_acq_rel) + 1 == n) {
      std::lock_guard lock(mutex);  // so that the caller is either before its check or asleep
      done.notify_one();
    }
  }

  void wait() {
    const auto all = [&] { return finished.load(std::memory_order_acquire) == n; };
    spin_until(all);  // the last tasks of a run mostly end within it
    if (all()) return;
    std::unique_lock lock(mutex);
    done.wait(lock, all);
  }
};

}  // namespace

struct ThreadPool::State {
  std::vector<std::thread> threads;
  std::mutex mutex;
  std::condition_variable wake;
  std::shared_ptr<Job> job;            // of the current run, or the last one
  uint64_t run_id = 0;                 // tells a sleeping worker that there is a new one
  std::atomic<uint64_t> announced{0};  // run_id once the mutex is free again: what a worker that spins looks at
  std::atomic<bool> running{false};
  std::atomic<int> awake{0};  // changed under the mutex
  bool stop = false;

  void loop(size_t thread) {
    uint64_t seen = 0;
    for (;;) {
      std::shared_ptr<Job> mine;
      const auto called = [&] { return announced.load(std::memory_order_acquire) != seen; };
      spin_until(called);  // runs mostly come in a row
      while (awake.load(std::memory_order_relaxed) > 0 && !called()) {
        std::this_thread::yield();
        spin_until(called);
      }
      {
        std::unique_lock lock(mutex);
        wake.wait(lock, [&] { return stop || run_id != seen || awake.load(std::memory_order_relaxed) > 0; });
        if (stop) return;
        if (run_id == seen) continue;
        seen = run_id;
        mine = job;
      }
      mine->work(thread);
    }
  }
};

ThreadPool::ThreadPool(int threads, BackgroundThrottle* throttle)
    : state_(std::make_unique<State>()), throttle_(throttle) {
  check(!throttle || threads == 1, "work in the background has one thread");
  if (threads <= 0) threads = usable_cpus();
  for (size_t i = 1; i < static_cast<size_t>(threads); ++i)
    state_->threads.emplace_back([s = state_.get(), i] { s->loop(i); });
}

ThreadPool::~ThreadPool() {
  {
    std::lock_guard lock(state_->mutex);
    state_->stop = true;
  }
  state_->wake.notify_all();
  for (auto& thread : state_->threads) thread.join();
}

ThreadPool::Awake::Awake(ThreadPool& pool)
    : state_(inside_task || pool.state_->threads.empty() ? nullptr : pool.state_.get()) {
  if (!state_) return;
  {
    std::lock_guard lock(state_->mutex);
    ++state_->awake;
  }
  state_->wake.notify_all();
}

ThreadPool::Awake::~Awake() {
  if (!state_) return;
  std::lock_guard lock(state_->mutex);
  --state_->awake;
}

int ThreadPool::size() const { return static_cast<int>(state_->threads.size()) + 1; }

void ThreadPool::run(size_t n, const std::function<void(size_t)>& task) {
  auto& s = *state_;
  if (n <= 1 || s.threads.empty() || inside_task) {
    std::exception_ptr error;
    for (size_t i = 0; i < n; ++i) {
      try {
        task(i);
      } catch (...) {
        if (!error) error = std::current_exception();
      }
      yield_to_foreground(throttle_);
    }
    if (error) std::rethrow_exception(error);
    return;
  }
  check(!s.running.exchange(true), "two threads called run of one pool");
  auto job = std::make_shared<Job>(task, n, s.threads.size() + 1);
  {
    std::lock_guard lock(s.mutex);
    s.job = job;
    ++s.run_id;
  }
  s.announced.store(s.run_id, std::memory_order_release);  // only run changes run_id, one at a time
  s.wake.notify_all();
  job->work(0);
  job->wait();
  s.running = false;
  if (job->error) std::rethrow_exception(job->error);
}

void ThreadPool::for_chunks(size_t n, size_t chunk, const std::function<void(size_t, size_t)>& f) {
  check(chunk > 0, "a chunk has at least one element");
  run((n + chunk - 1) / chunk, [&](size_t i) { f(i * chunk, std::min(n, (i + 1) * chunk)); });
}

}  // namespace pagoda
