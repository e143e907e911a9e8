// A bounded queue between a producer and a consumer: the producer waits while the queue is full, the consumer while it
// is empty. Thread-safe.
#pragma once

#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>
#include <optional>
#include <utility>

#include "core/error.h"

namespace pagoda {

template <class T>
class BoundedQueue {
 public:
  explicit BoundedQueue(size_t limit) : limit_(limit) { check(limit > 0, "a queue has room for one value"); }

  // False when the queue was closed: the value is dropped and the producer should stop.
  bool push(T value) {
    std::unique_lock lock(mutex_);
    room_.wait(lock, [&] { return closed_ || values_.size() < limit_; });
    if (closed_) return false;
    values_.push_back(std::move(value));
    filled_.notify_one();
    return true;
  }

  // Nothing when the queue is closed and empty. Rethrows the producer's error once what came before it is consumed.
  std::optional<T> pop() {
    std::unique_lock lock(mutex_);
    filled_.wait(lock, [&] { return closed_ || !values_.empty(); });
    if (values_.empty()) {
      if (error_) std::rethrow_exception(std::exchange(error_, nullptr));
      return std::nullopt;
    }
    T value = std::move(values_.front());
    values_.pop_front();
    room_.notify_one();
    return value;
  }

  // No more values will come; `error` is what stopped the producer, if anything did.
  void close(const std::exception_ptr& error = nullptr) {
    std::lock_guard lock(mutex_);
    closed_ = true;
    if (error) error_ = error;
    room_.notify_all();
    filled_.notify_all();
  }

 private:
  size_t limit_;
  std::mutex mutex_;
  std::condition_variable room_, filled_;
  std::deque<T> values_;
  bool closed_ = false;
  std::exception_ptr error_;
};

}  // namespace pagoda
