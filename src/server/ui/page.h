// The page of `pagoda serve --ui`: the build of web/, embedded in the binary.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace pagoda::server {

struct BuiltFile {
  std::string_view path;  // its path on the server: "/page.js"
  std::string_view content_type;
  std::string_view bytes;
};
std::vector<BuiltFile> built_page();  // empty with PAGODA_UI=OFF

// A file as the server sends it.
struct PageFile {
  std::string_view path, content_type, bytes;
  std::string zipped;  // the bytes, gzipped
  std::string tag;     // the ETag, a hash of the bytes, with its quotes
};

// The first call zips all files. Thread-safe.
const PageFile* find_page_file(std::string_view path);  // nullptr: no such file

}  // namespace pagoda::server
