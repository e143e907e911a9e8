// The journal: a catalogue's changes on disk, next to its bundle. They outlive the server, and apply to the next
// bundle, too.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/error.h"
#include "core/file.h"
#include "retrieval/delta_layer.h"

namespace pagoda::retrieval {

std::string journal_path(const std::string& bundle);  // FILE.items

// The last change of each item in a journal, in the order of these changes; empty when there is no such file. Skips an
// incomplete last line, which was being written. Error{failed}: another line is not a change.
std::vector<ItemChange> read_journal(const std::string& path);

// Another process writes the journal.
class JournalBusy : public Error {
 public:
  explicit JournalBusy(const std::string& message) : Error(ErrorKind::failed, message) {}
};

// A file with one JSON object a line: {"item": "i7", "attributes": {...}}, or {"item": "i7", "deleted": true}; the last
// line of an item counts. Each change is appended and flushed to disk, so a kill leaves whole changes and at most a
// torn last line. Compaction drops stale lines: it writes a new file and renames it into place. One process may write,
// which locks FILE.items.lock from its first change on, or when it finds a journal; others read. Not thread-safe,
// except Compaction::write().
class Journal {
 public:
  explicit Journal(std::string path) : path_(std::move(path)), lock_(path_ + ".lock") {}

  // As read_journal(), and removes a torn last line unless another process writes.
  std::vector<ItemChange> read(BackgroundThrottle* throttle = nullptr);

  // Becomes the writer if no other process is. True: it just became the writer, and there is more than was read.
  bool acquire();

  // Appends all changes, which are on disk when it returns; or none, with Error{failed}, which is JournalBusy when
  // another process writes.
  void append(std::span<const ItemChange> changes, BackgroundThrottle* throttle = nullptr);

  bool has_stale_lines() const { return lines_ > items_; }  // a later change replaced them
  // Whether enough lines are stale for compaction to pay off.
  bool needs_compaction() const { return lines_ > 2 * items_ + kSlack; }

  // The journal without its stale lines, in a new file that is not in place yet.
  class Compaction {
   public:
    Compaction(std::string path, size_t end, uint64_t inode);
    // On any thread, also while changes are appended. Error{failed}.
    void write(BackgroundThrottle* throttle = nullptr);

   private:
    friend class Journal;
    std::string path_;
    size_t end_;  // bytes of the journal that it covers
    uint64_t inode_;
    size_t lines_ = 0;
    std::unique_ptr<AtomicFile> file_;
  };
  std::unique_ptr<Compaction> start_compaction();  // nullptr: no file, or another process writes
  // Renames it into place, with the changes appended since. Does nothing when the journal is another file by now.
  void replace(Compaction& compaction);

 private:
  static constexpr size_t kSlack = 1000;
  bool owned();                                    // by this process; on becoming the owner it truncates a torn tail
  void truncate_torn_tail(std::string_view text);  // `text`: the contents
  std::string path_;
  FileLock lock_;
  size_t read_bytes_ = 0;
  size_t lines_ = 0, items_ = 0;  // items_: distinct items, when last counted
};

}  // namespace pagoda::retrieval
