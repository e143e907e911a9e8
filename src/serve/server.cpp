#include "serve/server.h"

namespace pagoda {

Reloader::Reloader(Snapshots& snapshots, ServeMetrics& metrics, std::chrono::milliseconds watch)
    : snapshots_(snapshots), metrics_(metrics), watch_(watch), thread_([this] { loop(); }) {}

Reloader::~Reloader() {
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
  }
  woken_.notify_all();
  thread_.join();
}

void Reloader::ask() {
  {
    const std::lock_guard lock(mutex_);
    asked_ = true;
  }
  woken_.notify_all();
}

void Reloader::loop() {
  for (;;) {
    bool asked;
    {
      std::unique_lock lock(mutex_);
      const auto woken = [&] { return asked_ || closed_; };
      if (watch_.count() > 0)
        woken_.wait_for(lock, watch_, woken);
      else
        woken_.wait(lock, woken);
      if (closed_) return;
      asked = std::exchange(asked_, false);
    }
    if (asked || snapshots_.changed()) metrics_.reload(snapshots_.reload());
  }
}

Server::Server(const std::string& model, const ServeOptions& options)
    : options_(options), keys_(options.keys.empty() ? Keys() : Keys::from_file(options.keys)), snapshots_(model),
      queue_({.limit = static_cast<size_t>(options.queue),
              .batch = static_cast<size_t>(options.batch),
              .wait = std::chrono::microseconds(options.batch_wait_us),
              .threads = static_cast<int>(options.threads)},
             metrics_),
      handler_(options_, snapshots_, queue_, metrics_, keys_), http_(handler_, options_) {}

std::string Server::url() const { return (options_.tls_key.empty() ? "http://" : "https://") + http_.address(); }

void Server::run() {
  Reloader reloader(snapshots_, metrics_, std::chrono::milliseconds(options_.watch_ms));
  http_.run([&] { reloader.ask(); });
}

}  // namespace pagoda
