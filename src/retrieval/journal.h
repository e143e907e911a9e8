// The changes of a catalogue on disk, beside its bundle: they outlive the server, and are laid over the next bundle, too.
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

// The last change of each item in a journal, in the order of these; nothing when there is no such file. A last line that is not
// whole is passed over: it was being written. Error{failed}: another line is none of ours.
std::vector<ItemChange> read_journal(const std::string& path);

// Another process writes it.
class JournalBusy : public Error {
 public:
  explicit JournalBusy(const std::string& message) : Error(ErrorKind::failed, message) {}
};

// A file with a JSON object a line: {"item": "i7", "attributes": {...}}, or {"item": "i7", "deleted": true}; the last line of
// an item counts. Written line by line and flushed to disk, so that a kill leaves whole changes, and at most a piece of the last
// one. Lines that no longer count are left out by a file that is made beside it and renamed. One thread may write, and one
// process: it locks FILE.items.lock, from its first change or from a journal that is there on. Others read.
class Journal {
 public:
  explicit Journal(std::string path) : path_(std::move(path)), lock_(path_ + ".lock") {}

  // As read_journal; a piece of a line at the end is cut off, unless another process writes.
  std::vector<ItemChange> read(BackgroundThrottle* throttle = nullptr);

  // Becomes the writer when no other process is any more; true: it has, and there is more than was read.
  bool acquire();

  // All of them, on disk when it returns; or none, with Error{failed}, which is JournalBusy when another process writes.
  void append(std::span<const ItemChange> changes, BackgroundThrottle* throttle = nullptr);

  bool has_idle_lines() const { return lines_ > items_; }  // that no longer count
  // Whether more lines have ceased to count than it is worth to keep.
  bool needs_compaction() const { return lines_ > 2 * items_ + kSlack; }

  // The journal as it is now without lines that no longer count, not in place yet.
  class Compaction {
   public:
    Compaction(std::string path, size_t end, uint64_t inode);
    // On any thread, while changes are appended; Error{failed}.
    void write(BackgroundThrottle* throttle = nullptr);

   private:
    friend class Journal;
    std::string path_;
    size_t end_;  // of what it was made of
    uint64_t inode_;
    size_t lines_ = 0;
    std::unique_ptr<AtomicFile> file_;
  };
  std::unique_ptr<Compaction> start_compaction();  // nullptr: there is no file, or another process writes
  // Puts it in place, with what has been appended since. Does nothing when another file lies there now.
  void replace(Compaction& shorter);

 private:
  static constexpr size_t kSlack = 1000;
  bool owned();                                    // by this process; when it has become so, it has been mended
  void truncate_torn_tail(std::string_view text);  // what it holds: a piece of a line at the end is cut off
  std::string path_;
  FileLock lock_;
  size_t read_bytes_ = 0;
  size_t lines_ = 0, items_ = 0;  // items_: different ones, when they were last counted
};

}  // namespace pagoda::retrieval
