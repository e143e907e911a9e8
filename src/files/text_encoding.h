// Text in other encodings than UTF-8.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "files/byte_source.h"

namespace pagoda::files {

// The bytes of a text file as UTF-8. `encoding`: "auto" (UTF-16 if a byte order mark says so, otherwise UTF-8, which is
// passed through unchecked), "utf-8", "latin-1", or another name that iconv knows. read() throws ReadError for bytes
// that the encoding does not have. Error{usage}: an unknown encoding; otherwise like open_bytes().
std::unique_ptr<ByteSource> open_text(const std::string& path, const std::string& encoding, bool ahead = true);

// Guesses the encoding of a file from all its lines, read as UTF-8. Most lines with other bytes than ASCII decide: one
// damaged line does not turn a file of UTF-8 into Latin-1.
class EncodingSurvey {
 public:
  void add(std::string_view line, uint64_t number);
  // "auto": UTF-8; otherwise "windows-1252" if some bytes are signs of that alone, or "latin-1".
  std::string encoding() const;
  uint64_t lines_not_utf8() const { return not_utf8_; }
  uint64_t first_not_utf8() const { return first_; }  // its number

 private:
  uint64_t utf8_ = 0, not_utf8_ = 0, first_ = 0;
  bool signs_ = false;  // bytes from 0x80 to 0x9f, which are control characters in Latin-1
};

}  // namespace pagoda::files
