// The changes of a catalogue on disk, beside its bundle: they outlive the server, and are laid over the next bundle, too.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "serve/additions.h"

namespace pagoda {

// A file with a JSON object a line: {"item": "i7", "attributes": {...}}, or {"item": "i7", "deleted": true}; the last line of
// an item counts. Written line by line and flushed to disk, so that a kill leaves whole changes, and at most a piece of the last
// one, which is dropped. Not thread-safe.
class Journal {
 public:
  explicit Journal(std::string path) : path_(std::move(path)) {}

  // What it holds, the last change of each item, and nothing when there is no file. Drops a last line that is not whole.
  // Error{failed}: another line is none of ours.
  std::vector<ItemChange> read();

  // All of them, on disk when it returns; or none, with Error{failed}.
  void append(std::span<const ItemChange> changes);

 private:
  std::string path_;
};

}  // namespace pagoda
