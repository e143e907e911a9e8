// Output of text: a file or stdout, plain or compressed.
#pragma once

#include <memory>
#include <string>
#include <string_view>

namespace pagoda::files {

class ByteSink {
 public:
  virtual ~ByteSink() = default;
  virtual void write(std::string_view bytes) = 0;  // Error{failed} that names the path: disk full
  virtual void close() = 0;                        // ends the compression; the file appears under its name
};

// "-" is stdout; a path that ends in .gz or .zst is compressed. Error{usage}: the path has the extension of another
// compression.
std::unique_ptr<ByteSink> open_sink(const std::string& path);

// Error{usage} if an output has the extension of a compression that Pagoda does not write, such as .zip.
void check_output_name(const std::string& path);

// Writes a whole text; otherwise like open_sink().
void write_text(const std::string& path, std::string_view text);

// Error{usage} if an output that is never compressed, `what` ("a bundle"), has the extension of a compression.
void check_not_compressed(const std::string& path, std::string_view what);

}  // namespace pagoda::files
