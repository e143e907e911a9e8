#include "core/thread_pool.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "core/error.h"

namespace pagoda {

namespace {
thread_local bool inside_task = false;
}

struct ThreadPool::State {
  std::vector<std::thread> threads;
  std::mutex mutex;
  std::condition_variable wake, done;
  const std::function<void(size_t)>* task = nullptr;
  size_t n = 0;
  std::atomic<size_t> next{0};
  size_t busy = 0;      // workers that have not yet finished the current run
  uint64_t run_id = 0;  // tells a sleeping worker that there is a new run
  bool stop = false;
  std::exception_ptr error;
  size_t error_task = SIZE_MAX;

  void work() {
    inside_task = true;
    for (size_t i; (i = next.fetch_add(1, std::memory_order_relaxed)) < n;) {
      try {
        (*task)(i);
      } catch (...) {
        std::lock_guard lock(mutex);
        if (i < error_task) error_task = i, error = std::current_exception();
      }
    }
    inside_task = false;
  }

  void loop() {
    uint64_t seen = 0;
    for (;;) {
      {
        std::unique_lock lock(mutex);
        wake.wait(lock, [&] { return stop || run_id != seen; });
        if (stop) return;
        seen = run_id;
      }
      work();
      std::lock_guard lock(mutex);
      if (--busy == 0) done.notify_one();
    }
  }
};

ThreadPool::ThreadPool(int threads) : state_(std::make_unique<State>()) {
  if (threads <= 0) threads = std::max(1u, std::thread::hardware_concurrency());
  for (int i = 1; i < threads; ++i) state_->threads.emplace_back([s = state_.get()] { s->loop(); });
}

ThreadPool::~ThreadPool() {
  {
    std::lock_guard lock(state_->mutex);
    state_->stop = true;
  }
  state_->wake.notify_all();
  for (auto& thread : state_->threads) thread.join();
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
    }
    if (error) std::rethrow_exception(error);
    return;
  }
  {
    std::lock_guard lock(s.mutex);
    check(s.busy == 0, "two threads called run of one pool");
    s.task = &task, s.n = n, s.next = 0, s.busy = s.threads.size();
    s.error = nullptr, s.error_task = SIZE_MAX;
    ++s.run_id;
  }
  s.wake.notify_all();
  s.work();
  std::unique_lock lock(s.mutex);
  s.done.wait(lock, [&] { return s.busy == 0; });
  if (s.error) std::rethrow_exception(std::exchange(s.error, nullptr));
}

void ThreadPool::for_chunks(size_t n, size_t chunk, const std::function<void(size_t, size_t)>& f) {
  check(chunk > 0, "a chunk has at least one element");
  run((n + chunk - 1) / chunk, [&](size_t i) { f(i * chunk, std::min(n, (i + 1) * chunk)); });
}

}  // namespace pagoda
