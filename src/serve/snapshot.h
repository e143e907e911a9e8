// What a server answers from at a moment: one bundle, taken and replaced whole, with the changes of its items laid over it.
#pragma once

#include <memory>
#include <mutex>
#include <string>

#include "serve/journal.h"
#include "serve/retrieval.h"

namespace pagoda {

struct Snapshot {
  Retrieval retrieval;
  const Bundle& bundle() const { return retrieval.bundle(); }
};

// The snapshot of a file, and of the journal beside it (FILE.items). A request takes the current one and keeps it to its end,
// so user tower, items and index that it is answered from belong together, whatever happens to the files meanwhile.
// Thread-safe, but for one thread that reloads and changes.
class Snapshots {
 public:
  explicit Snapshots(std::string path);  // loads; the errors of Bundle::open and Journal::read

  std::shared_ptr<const Snapshot> current() const;

  // Loads what lies under the path now, journal and all, and puts it in place; when that is no good bundle the current one
  // stays, the reason is logged, and the result is false. current() is never kept waiting.
  bool reload();

  // Writes the changes to the journal and lays them over the current snapshot. Error{failed}: the journal can not be written;
  // then nothing changes. Error{usage}: the bundle holds bare vectors, and no tower to encode an item with.
  void change(const std::vector<ItemChange>& changes);

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
  std::shared_ptr<const Snapshot> load();
  void put(std::shared_ptr<const Snapshot> next);

  std::string path_;
  Journal journal_;
  mutable std::mutex mutex_;
  std::shared_ptr<const Snapshot> current_;
  Identity looked_at_;
};

}  // namespace pagoda
