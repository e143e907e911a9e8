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

namespace pagoda::server {

struct SnapshotUpdaterOptions {
  std::chrono::milliseconds watch{1000};  // how often the bundle's file is looked at; 0: never
  size_t max_added = 1000000;             // items laid over the bundle
  size_t max_waiting = 10000;             // changes that wait to be made
};

class SnapshotUpdater {
 public:
  // full: there would be more than max_added; busy: another process changes the journal.
  enum class ChangeResult { applied, full, busy, failed };

  // snapshots, metrics and foreground are borrowed. Its work yields to the requests of `foreground`; nullptr: to none.
  SnapshotUpdater(const SnapshotUpdaterOptions& options, retrieval::Snapshots& snapshots, ServeMetrics& metrics,
                  const ForegroundLoad* foreground = nullptr);
  ~SnapshotUpdater();  // makes the changes that wait, and ends the merge under way

  void reload();  // soon: the file, changed or not

  // Soon; `done` is called on the keeper's thread when the changes are on disk and searchable, or cannot be made. False, and
  // nothing happens: too many wait. Changes that come while others are made are made together.
  bool change(std::vector<retrieval::ItemChange> changes, std::function<void(ChangeResult)> done);

 private:
  struct Request {
    std::vector<retrieval::ItemChange> changes;
    std::function<void(ChangeResult)> done;
  };
  void loop();
  void apply(const std::vector<Request>& requests, BackgroundThrottle* throttle);
  ChangeResult try_change(const std::vector<retrieval::ItemChange>& changes, BackgroundThrottle* throttle);
  void count_items();
  void begin_maintenance();
  void start_maintenance(retrieval::Snapshots::MaintenanceFn work);
  void maintenance_failed(const std::exception& e);
  void end_maintenance();

  SnapshotUpdaterOptions options_;
  retrieval::Snapshots& snapshots_;
  ServeMetrics& metrics_;
  const ForegroundLoad* foreground_;
  std::mutex mutex_;
  std::condition_variable woken_;
  std::vector<Request> waiting_;
  size_t changes_waiting_ = 0;
  bool asked_ = false, closed_ = false, maintenance_done_ = false;
  std::future<retrieval::Snapshots::Finish> maintenance_;  // not valid: none is under way
  std::chrono::steady_clock::time_point next_maintenance_{};
  std::thread thread_;
};

}  // namespace pagoda::server
