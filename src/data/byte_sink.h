// Where a text writer's bytes go: a file or stdout, plain or compressed. Private to this room.
#pragma once

#include <memory>
#include <string>
#include <string_view>

namespace pagoda {

class ByteSink {
 public:
  virtual ~ByteSink() = default;
  virtual void write(std::string_view bytes) = 0;  // Error{failed} naming the path: disk full
  virtual void close() = 0;                        // ends the compression; the file appears under its name
};

// "-" is stdout; a path that ends in .gz or .zst is compressed.
std::unique_ptr<ByteSink> open_sink(const std::string& path);

}  // namespace pagoda
