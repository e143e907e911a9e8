// The one thread that installs new snapshots: of a new bundle, of changed items, and of layers that were merged in the
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
  std::chrono::milliseconds watch{1000};  // how often the bundle's file is checked for a new one; 0: never
  size_t max_added = 1000000;             // items over the bundle
  size_t max_waiting = 10000;             // changes that may wait
};

class SnapshotUpdater {
 public:
  // full: there would be more than max_added items; busy: another process writes the journal.
  enum class ChangeResult { applied, full, busy, failed };

  // Starts the thread. Borrows snapshots, metrics and foreground. Its work yields to the requests of `foreground`;
  // nullptr: it does not yield.
  SnapshotUpdater(const SnapshotUpdaterOptions& options, retrieval::Snapshots& snapshots, ServeMetrics& metrics,
                  const ForegroundLoad* foreground = nullptr);
  ~SnapshotUpdater();  // makes the waiting changes, and waits for the merge under way

  void reload();  // asynchronous: loads the file, changed or not; thread-safe

  // Asynchronous, thread-safe. Calls `done` on the updater's thread when the changes are on disk and searchable, or
  // cannot be made. Returns false, and does nothing, when too many changes wait. Changes that arrive during others are
  // made together.
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
  std::future<retrieval::Snapshots::CommitFn> maintenance_;  // not valid: none is under way
  std::chrono::steady_clock::time_point next_maintenance_{};
  std::thread thread_;
};

}  // namespace pagoda::server
