// What a server answers from at a moment: one bundle, taken and replaced whole.
#pragma once

#include <memory>
#include <mutex>
#include <string>

#include "serve/retrieval.h"

namespace pagoda {

struct Snapshot {
  explicit Snapshot(const std::string& path);  // the errors of Bundle::open
  const Bundle& bundle() const { return retrieval.bundle(); }
  Retrieval retrieval;
};

// The snapshot of a file. A request takes the current one and keeps it to its end, so user tower, items and index that it
// is answered from belong together, whatever happens to the file meanwhile. Thread-safe.
class Snapshots {
 public:
  explicit Snapshots(std::string path);  // loads; the errors of Snapshot

  std::shared_ptr<const Snapshot> current() const;

  // Loads what lies under the path now and puts it in place; when that is no good bundle the current one stays, the reason
  // is logged, and the result is false. One call at a time; current() is never kept waiting.
  bool reload();

  // Whether another file lies under the path than was last loaded or refused. A bundle is replaced by rename, which makes
  // another file: one that is written over in place is being read while it changes.
  bool changed() const;

 private:
  // Which file it is, and in which state.
  struct Identity {
    uint64_t device = 0, inode = 0, size = 0;
    int64_t time_ns = 0;
    bool operator==(const Identity&) const = default;
  };
  Identity identity() const;  // of no file: all zeros

  std::string path_;
  mutable std::mutex mutex_;
  std::shared_ptr<const Snapshot> current_;
  Identity looked_at_;
};

}  // namespace pagoda
