// The bytes of a file, plain or decompressed.
#pragma once

#include <cstddef>
#include <memory>
#include <string>

namespace pagoda::files {

// Bytes of a file, one after another. read() gives 0 at the end.
class ByteSource {
 public:
  virtual ~ByteSource() = default;
  // Throws ReadError when the bytes can not be had; the caller knows the line and says it.
  virtual size_t read(char* to, size_t size) = 0;
  virtual bool compressed() const { return false; }
  struct ReadError {
    std::string what;
  };
};

// "-" is stdin. gzip and Zstandard (told by the first bytes) are decompressed, on a thread of their own, a megabyte ahead where
// so much is wanted.
// Error{input}: missing, a folder, named .gz or .zst but of another content.
std::unique_ptr<ByteSource> open_bytes(const std::string& path, bool ahead = true);

}  // namespace pagoda::files
