// A snapshot is what a server answers from at one moment: a bundle, replaced as a whole, with the changes of its items.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_set>

#include "retrieval/browse_index.h"
#include "retrieval/item_journal.h"
#include "retrieval/retrieval.h"

namespace pagoda::retrieval {

struct Snapshot {
  Retrieval retrieval;
  std::shared_ptr<const BrowseIndex> catalogue;  // nullptr: not browsed
  const model::Bundle& bundle() const { return retrieval.bundle(); }
};

struct MergeOptions {
  size_t merge_at = 10000;  // merge the fresh layer from so many items on, and from a quarter of the merged layer on
  size_t lists_from =
      20000;  // merged items from which their index has lists if the bundle's index has; fewer are searched exactly
};

// A retrieval over the bundle with the changes.
Retrieval with_changes(std::shared_ptr<const model::Bundle> bundle, const std::vector<ItemChange>& changes,
                       const MergeOptions& options, BackgroundThrottle* throttle = nullptr);

// The snapshots of a file and its journal (FILE.items). A request takes the current snapshot and keeps it to its end,
// so user tower, items and index belong together, whatever happens to the files meanwhile. Const functions are
// thread-safe; one thread may call the others.
class Snapshots {
 public:
  // Loads the bundle, and compacts the journal. `with_catalogue`: snapshots have a BrowseIndex. Errors of Bundle::open
  // and ItemJournal::read.
  explicit Snapshots(std::string path, const MergeOptions& options = {}, bool with_catalogue = false);

  std::shared_ptr<const Snapshot> current() const;

  // Loads the bundle now at the path, with the journal, and makes it current. Returns false, logs the reason and keeps
  // the current one if that bundle is not valid. current() does not wait for it.
  bool reload(BackgroundThrottle* throttle = nullptr);

  // Writes the changes to the journal, then makes a snapshot with them current. Error{failed}: the journal cannot be
  // written, and nothing changed. Error{usage}: the bundle holds bare vectors and no tower to encode an item.
  void change(const std::vector<ItemChange>& changes, BackgroundThrottle* throttle = nullptr);

  // The background work that is due: merging the layers, or compacting the journal; an empty function when none is. The
  // caller runs it on any thread, with that thread's throttle or nullptr; it may take long, and changes may go on
  // meanwhile. It returns a function that installs the result, to be called by the writing thread. One at a time.
  using CommitFn = std::function<void()>;
  using MaintenanceFn = std::function<CommitFn(BackgroundThrottle*)>;
  MaintenanceFn maintenance();

  // Frees former snapshots that are no longer in use; returns false while some still are.
  bool release_former();

  // Whether the path has another bundle than the one last loaded or refused. A bundle must be replaced by rename; one
  // that is overwritten in place changes while it is read. Another file with the same fingerprint is the same bundle.
  bool changed();

 private:
  // Identifies a file and its state.
  struct Identity {
    uint64_t device = 0, inode = 0, size = 0;
    int64_t time_ns = 0;
    bool operator==(const Identity&) const = default;
  };
  Identity identity() const;  // all zeros when there is no file
  std::shared_ptr<const Snapshot> load(BackgroundThrottle* throttle = nullptr);
  void put(std::shared_ptr<const Snapshot> next);
  MaintenanceFn merge();
  MaintenanceFn compact_journal();

  std::string path_;
  MergeOptions options_;
  bool with_catalogue_;
  ItemJournal journal_;
  std::optional<std::unordered_set<std::string>> changed_since_;  // items changed since the current merge began
  std::vector<std::shared_ptr<const Snapshot>> former_;
  mutable std::mutex mutex_;
  std::shared_ptr<const Snapshot> current_;
  Identity looked_at_;
};

}  // namespace pagoda::retrieval
