// The bytes of a file, plain or decompressed.
#pragma once

#include <cstddef>
#include <memory>
#include <string>

namespace pagoda::files {

// A stream of the bytes of a file. read() returns 0 at the end.
class ByteSource {
 public:
  virtual ~ByteSource() = default;
  // Throws ReadError if the bytes cannot be read; the caller adds the line.
  virtual size_t read(char* to, size_t size) = 0;
  virtual bool compressed() const { return false; }
  struct ReadError {
    std::string what;
  };
};

// "-" is stdin; "a.zip/b.csv" is a file in an archive. gzip, Zstandard, bzip2, xz and lz4, recognised by the first
// bytes, are decompressed; with `ahead`, on a thread of their own, up to a megabyte ahead. Error{input}: missing, a
// folder, or named as compressed with other content.
std::unique_ptr<ByteSource> open_bytes(const std::string& path, bool ahead = true);

}  // namespace pagoda::files
