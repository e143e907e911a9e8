// The one thread that puts new snapshots in place: of a new bundle, of changed items, and of layers that were merged in the
// background.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <future>
#include <mutex>
#include <thread>
#include <vector>

#include "retrieval/snapshot.h"
#include "server/metrics.h"

namespace pagoda {

struct KeeperOptions {
  std::chrono::milliseconds watch{1000};  // how often the bundle's file is looked at; 0: never
  size_t most_added = 1000000;            // items laid over the bundle
  size_t most_waiting = 10000;            // changes that wait to be made
};

class Keeper {
 public:
  // full: there would be more than most_added; busy: another process changes the journal.
  enum class Made { yes, full, busy, failed };

  // snapshots, metrics and foreground are borrowed. Its work yields to the requests of `foreground`; nullptr: to none.
  Keeper(const KeeperOptions& options, Snapshots& snapshots, ServeMetrics& metrics,
         const ForegroundLoad* foreground = nullptr);
  ~Keeper();  // makes the changes that wait, and ends the merge under way

  void reload();  // soon: the file, changed or not

  // Soon; `done` is called on the keeper's thread when the changes are on disk and searchable, or can not be made. False, and
  // nothing happens: too many wait. Changes that come while others are made are made together.
  bool change(std::vector<ItemChange> changes, std::function<void(Made)> done);

 private:
  struct Request {
    std::vector<ItemChange> changes;
    std::function<void(Made)> done;
  };
  void loop();
  void make(const std::vector<Request>& requests, BackgroundThrottle* throttle);
  Made try_change(const std::vector<ItemChange>& changes, BackgroundThrottle* throttle);
  void count_items();
  void begin_upkeep();
  void start_upkeep(Snapshots::Work work);
  void upkeep_failed(const std::exception& e);
  void end_upkeep();

  KeeperOptions options_;
  Snapshots& snapshots_;
  ServeMetrics& metrics_;
  const ForegroundLoad* foreground_;
  std::mutex mutex_;
  std::condition_variable woken_;
  std::vector<Request> waiting_;
  size_t changes_waiting_ = 0;
  bool asked_ = false, closed_ = false, upkeep_done_ = false;
  std::future<Snapshots::Finish> upkeep_;  // not valid: none is under way
  std::chrono::steady_clock::time_point next_upkeep_{};
  std::thread thread_;
};

}  // namespace pagoda
