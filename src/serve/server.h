// The whole of `pagoda serve`: a bundle's snapshots, the queue before the search, the handler and its transport.
#pragma once

#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>

#include "serve/http_server.h"

namespace pagoda {

// Puts a new snapshot in place when there is another file, or when it is asked to. Has a thread of its own, as loading takes
// long.
class Reloader {
 public:
  // Both are borrowed. Looks every `watch`; never when that is 0.
  Reloader(Snapshots& snapshots, ServeMetrics& metrics, std::chrono::milliseconds watch);
  ~Reloader();
  void ask();  // load, changed or not

 private:
  void loop();
  Snapshots& snapshots_;
  ServeMetrics& metrics_;
  std::chrono::milliseconds watch_;
  std::mutex mutex_;
  std::condition_variable woken_;
  bool asked_ = false, closed_ = false;
  std::thread thread_;
};

class Server {
 public:
  // Loads the bundle and listens. Errors of Bundle::open, Keys::from_file and HttpServer.
  Server(const std::string& model, const ServeOptions& options);
  // "http://127.0.0.1:8080"
  std::string url() const;
  const Snapshots& snapshots() const { return snapshots_; }
  void run();  // until SIGTERM or SIGINT, and drained

 private:
  ServeOptions options_;
  ServeMetrics metrics_;
  Keys keys_;
  Snapshots snapshots_;
  SearchQueue queue_;
  Handler handler_;
  HttpServer http_;
};

}  // namespace pagoda
