// What a server answers from at a moment: one bundle, taken and replaced whole, with the changes of its items laid over it.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_set>

#include "retrieval/browse_index.h"
#include "retrieval/journal.h"
#include "retrieval/retrieval.h"

namespace pagoda::retrieval {

struct Snapshot {
  Retrieval retrieval;
  std::shared_ptr<const BrowseIndex> catalogue;  // nullptr: nobody looks through it
  const model::Bundle& bundle() const { return retrieval.bundle(); }
};

struct MergeOptions {
  size_t merge_at = 10000;  // items of the fresh layer from which it is merged, or a quarter of the merged one
  size_t lists_from =
      20000;  // merged items from which they have lists, where the bundle's index has; fewer are scanned
};

// The bundle with the changes laid over it.
Retrieval with_changes(std::shared_ptr<const model::Bundle> bundle, const std::vector<ItemChange>& changes,
                       const MergeOptions& options, BackgroundThrottle* throttle = nullptr);

// The snapshot of a file, and of the journal beside it (FILE.items). A request takes the current one and keeps it to its end,
// so user tower, items and index that it is answered from belong together, whatever happens to the files meanwhile.
// Thread-safe, but for one thread that calls what is not const.
class Snapshots {
 public:
  // Loads, and shortens the journal; the errors of Bundle::open and Journal::read. Without `with_catalogue` snapshots have none.
  explicit Snapshots(std::string path, const MergeOptions& options = {}, bool with_catalogue = false);

  std::shared_ptr<const Snapshot> current() const;

  // Loads what lies under the path now, journal and all, and puts it in place; when that is no good bundle the current one
  // stays, the reason is logged, and the result is false. current() is never kept waiting.
  bool reload(BackgroundThrottle* throttle = nullptr);

  // Writes the changes to the journal and lays them over the current snapshot. Error{failed}: the journal cannot be written;
  // then nothing changes. Error{usage}: the bundle holds bare vectors, and no tower to encode an item with.
  void change(const std::vector<ItemChange>& changes, BackgroundThrottle* throttle = nullptr);

  // What is to be done in the background: a merge of the layers, a shorter journal. It may take long, on any thread (whose
  // throttle it is given, or nullptr), while changes go on; what it returns puts the outcome in place, and is called by the
  // one thread. Nothing: all is well. One at a time.
  using Finish = std::function<void()>;
  using MaintenanceFn = std::function<Finish(BackgroundThrottle*)>;
  MaintenanceFn maintenance();

  // Lets go of former snapshots that nobody uses any more; false: some are still used.
  bool release_former();

  // Whether another bundle lies under the path than was last loaded or refused. A bundle is replaced by rename, which makes
  // another file: one that is written over in place is being read while it changes. Another file of the same fingerprint
  // gives the same answers, and is no other bundle.
  bool changed();

 private:
  // Which file it is, and in which state.
  struct Identity {
    uint64_t device = 0, inode = 0, size = 0;
    int64_t time_ns = 0;
    bool operator==(const Identity&) const = default;
  };
  Identity identity() const;  // of no file: all zeros
  std::shared_ptr<const Snapshot> load(BackgroundThrottle* throttle = nullptr);
  void put(std::shared_ptr<const Snapshot> next);
  MaintenanceFn merge();
  MaintenanceFn compact_journal();

  std::string path_;
  MergeOptions options_;
  bool with_catalogue_;
  Journal journal_;
  std::optional<std::unordered_set<std::string>> changed_since_;  // items, since the merge began that is under way
  std::vector<std::shared_ptr<const Snapshot>> former_;
  mutable std::mutex mutex_;
  std::shared_ptr<const Snapshot> current_;
  Identity looked_at_;
};

}  // namespace pagoda::retrieval
