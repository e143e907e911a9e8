// A journal: a file of lines that grows, each of which is on disk whole or not at all.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "core/error.h"
#include "core/file.h"

namespace pagoda {

// Another process writes the journal.
class JournalBusy : public Error {
 public:
  explicit JournalBusy(const std::string& message) : Error(ErrorKind::failed, message) {}
};

// The whole lines of a journal, which another process may be writing: without a last line that is incomplete. Empty
// when there is no such file.
std::string read_whole_lines(const std::string& path);

// Calls f(line without its end, number from 1) for each; returns how many there are.
size_t for_each_line(std::string_view whole_lines, const std::function<void(std::string_view, size_t)>& f);

// Lines are appended and flushed to disk, so a kill leaves whole lines and at most a torn last one, which the next
// writer removes. Compaction writes a new file and renames it into place. One process may write, which locks PATH.lock
// from its first line on, or when it finds a journal; others read. Not thread-safe, except Compaction::write().
class LineJournal {
 public:
  explicit LineJournal(std::string path) : path_(std::move(path)), lock_(path_ + ".lock") {}

  const std::string& path() const { return path_; }

  // Calls take(the whole lines), which have been read when it returns and does not throw; removes a torn last one
  // unless another process writes.
  void read(const std::function<void(std::string_view)>& take);

  // Becomes the writer if no other process is. True: it just became the writer, and there is more than was read.
  bool acquire();

  // Appends whole lines, which are on disk when it returns; or none, with Error{failed}, which is JournalBusy when
  // another process writes.
  void append(std::string_view lines);

  // The journal with fewer lines, in a new file that is not in place yet.
  class Compaction {
   public:
    Compaction(std::string path, size_t end, uint64_t inode);
    const std::string& path() const { return path_; }
    // Calls rewrite(the whole lines that there were, the new file), which writes those that stay. On any thread, also
    // while lines are appended. Error{failed}.
    void write(const std::function<void(std::string_view, AtomicFile&)>& rewrite);

   private:
    friend class LineJournal;
    std::string path_;
    size_t end_;  // bytes of the journal that it covers
    uint64_t inode_;
    std::unique_ptr<AtomicFile> file_;
  };
  std::unique_ptr<Compaction> start_compaction();  // nullptr: no file, or another process writes
  // Renames it into place, with the lines appended since, and returns their number. Nothing: the journal is another
  // file by now, and stays.
  std::optional<size_t> replace(Compaction& compaction);

 private:
  bool owned();                                    // by this process; on becoming the owner it removes a torn last line
  void truncate_torn_tail(std::string_view text);  // `text`: the contents
  std::string path_;
  FileLock lock_;
  size_t read_bytes_ = 0;
  bool unread_ = false;  // there may be lines that were written before the lock was taken and have not been read
};

}  // namespace pagoda
