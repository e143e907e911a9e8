// The lines of a text file as UTF-8, plain, compressed, or in an archive (open_bytes()).
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "files/byte_source.h"

namespace pagoda::files {

// Memory is bounded by the longest line (at most 256 MiB). Not thread-safe.
class TextLines {
 public:
  // "-" is stdin; `encoding` as for open_text().
  explicit TextLines(const std::string& path, const std::string& encoding = "auto");

  // The next line without its line feed; a byte order mark at the start of the file is dropped. The view holds until
  // the next call. False at the end. Error{input} with path and line: truncated or damaged compression, bytes that
  // the encoding does not have, a NUL byte.
  bool next(std::string_view& line);
  // Extends the line that next() returned by a line feed and the following line. False at the end of the file; then the
  // line is lost.
  bool extend(std::string_view& line);
  // The bytes after the current line that were already read: for a file just opened, its first 64 KiB or more, or all
  // of it.
  std::string_view ahead() const { return {buffer_.data() + line_end_, end_ - line_end_}; }
  bool all_read() const { return at_end_; }         // ahead() reaches to the end of the file
  bool met_carriage_return() const { return cr_; }  // in the bytes read so far
  uint64_t number() const { return number_; }       // of the line next() gave, from 1; counts line feeds
  const std::string& path() const { return path_; }
  std::string place() const;  // path:number

 private:
  bool refill();
  void check_bytes(size_t n);
  std::string path_;
  std::unique_ptr<ByteSource> source_;
  std::vector<char> buffer_;
  size_t begin_ = 0, line_end_ = 0, end_ = 0;  // of the current line, and of the filled part of buffer_
  uint64_t number_ = 0, line_feeds_ = 0;       // line_feeds_: consumed, those inside an extended line too
  bool at_end_ = false, cr_ = false;
};

}  // namespace pagoda::files
