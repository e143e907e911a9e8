// One pool of threads for the whole program, passed in by reference.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>

#include "core/background.h"

namespace pagoda {

// run(n, task) calls task(0) ... task(n - 1) once each, on the pool's threads and the caller's, and returns when all
// are done. It is not fixed which thread takes which task. To get the same bits on any number of threads, a caller cuts
// its work into tasks by the PROBLEM's size (never by size()), lets each task own its output, and adds partial results
// up in task order. run rethrows an exception of a task (the first by task number); the other tasks still run.
//
// A run inside a task runs serially. Only one thread at a time may call run.
//
// The pool of background work has one thread and a throttle: it yields between tasks, and code that is given the pool
// may pass its throttle on.
class ThreadPool {
  struct State;

 public:
  // threads >= 1, the caller's included; 0: one per available CPU. throttle: borrowed, with one thread alone.
  explicit ThreadPool(int threads, BackgroundThrottle* throttle = nullptr);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  int size() const;
  BackgroundThrottle* throttle() const { return throttle_; }  // nullptr: no background work
  void run(size_t n, const std::function<void(size_t)>& task);

  // for_chunks(n, chunk, f) calls f(begin, end) over [0, n) cut into pieces of `chunk`.
  void for_chunks(size_t n, size_t chunk, const std::function<void(size_t, size_t)>& f);

  // While an Awake lives, idle threads spin for the next run instead of sleeping: for work of a few milliseconds that
  // consists of many short runs, where waking a thread takes as long as a run. They use CPU time meanwhile, and yield
  // to other threads of the machine. Held by the thread that calls run.
  class Awake {
   public:
    explicit Awake(ThreadPool& pool);
    ~Awake();
    Awake(const Awake&) = delete;
    Awake& operator=(const Awake&) = delete;

   private:
    State* state_;  // nullptr: there is no other thread
  };

 private:
  std::unique_ptr<State> state_;
  BackgroundThrottle* throttle_;
};

}  // namespace pagoda
