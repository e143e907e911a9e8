// The journal of items: a catalogue's changes on disk, next to its bundle. They outlive the server, and apply to the
// next bundle, too.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/background.h"
#include "core/line_journal.h"
#include "retrieval/delta_layer.h"

namespace pagoda::retrieval {

std::string item_journal_path(const std::string& bundle);  // FILE.items

// The last change of each item in a journal, in the order of these changes; empty when there is no such file. Skips an
// incomplete last line, which was being written. Error{failed}: another line is not a change.
std::vector<ItemChange> read_item_journal(const std::string& path);

// A LineJournal with one JSON object a line: {"item": "i7", "attributes": {...}}, or {"item": "i7", "deleted": true};
// the last line of an item counts. Compaction drops stale lines. Not thread-safe, except Compaction::write().
class ItemJournal {
 public:
  explicit ItemJournal(std::string path) : lines_(std::move(path)) {}

  // As read_item_journal(), and removes a torn last line unless another process writes.
  std::vector<ItemChange> read(BackgroundThrottle* throttle = nullptr);

  // Becomes the writer if no other process is. True: it just became the writer, and there is more than was read.
  bool acquire() { return lines_.acquire(); }

  // Appends all changes, which are on disk when it returns; or none, with Error{failed}, which is JournalBusy when
  // another process writes.
  void append(std::span<const ItemChange> changes, BackgroundThrottle* throttle = nullptr);

  bool has_stale_lines() const { return count_ > items_; }  // a later change replaced them
  // Whether enough lines are stale for compaction to pay off.
  bool needs_compaction() const { return count_ > 2 * items_ + kSlack; }

  // The journal without its stale lines, in a new file that is not in place yet.
  class Compaction {
   public:
    explicit Compaction(std::unique_ptr<LineJournal::Compaction> lines) : lines_(std::move(lines)) {}
    // On any thread, also while changes are appended. Error{failed}.
    void write(BackgroundThrottle* throttle = nullptr);

   private:
    friend class ItemJournal;
    std::unique_ptr<LineJournal::Compaction> lines_;
    size_t items_ = 0;
  };
  std::unique_ptr<Compaction> start_compaction();  // nullptr: no file, or another process writes
  // Renames it into place, with the changes appended since. Does nothing when the journal is another file by now.
  void replace(Compaction& compaction);

 private:
  static constexpr size_t kSlack = 1000;
  LineJournal lines_;
  size_t count_ = 0, items_ = 0;  // lines; distinct items, when last counted
};

}  // namespace pagoda::retrieval
