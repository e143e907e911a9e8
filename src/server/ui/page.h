// The page of `pagoda serve --ui`: what web/ was built into, held by the binary.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace pagoda::server {

struct BuiltFile {
  std::string_view path;  // that it is asked for by: "/page.js"
  std::string_view content_type;
  std::string_view bytes;
};
std::vector<BuiltFile> built_page();  // empty in a build with PAGODA_UI=OFF

// A file as it is sent.
struct PageFile {
  std::string_view path, content_type, bytes;
  std::string zipped;  // the bytes, in gzip
  std::string tag;     // the ETag, with its quotes: another one for other bytes
};

// The files, zipped; made once, at the first call. Thread-safe.
const PageFile* find_page_file(std::string_view path);  // nullptr: it is none of them

}  // namespace pagoda::server
