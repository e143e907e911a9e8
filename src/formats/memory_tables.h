// Tables in memory, by Arrow's C stream interface, that are read like files: `frame:clicks` stands where a path does.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

struct ArrowArrayStream;  // of the C stream interface, as <arrow/c/abi.h> defines it

namespace pagoda::formats {

// Opens the table from its first row: fills the stream, which the reader releases. Called once for each pass, on the
// thread of open_reader(); throws Error{input} where the table cannot be opened.
using OpenStream = std::function<void(ArrowArrayStream* stream)>;

// By name, without the "frame:".
using MemoryTables = std::map<std::string, OpenStream>;

// While one exists, open_reader() finds these tables on this thread; a reader keeps what it needs of them. One inside
// another hides it.
class ScopedMemoryTables {
 public:
  explicit ScopedMemoryTables(MemoryTables tables);
  ~ScopedMemoryTables();
  ScopedMemoryTables(const ScopedMemoryTables&) = delete;
  ScopedMemoryTables& operator=(const ScopedMemoryTables&) = delete;

 private:
  MemoryTables tables_;
  const MemoryTables* before_;
};

// The table of a path "frame:NAME". Error{input}: there is none of that name now.
const OpenStream& find_memory_table(const std::string& path);

}  // namespace pagoda::formats
