#include "server/ui/page.h"

#include <algorithm>
#include <xxhash.h>
#include <zlib.h>

#include "core/error.h"

namespace pagoda::server {
namespace {

std::string zip(std::string_view bytes) {
  constexpr int kGzip = 15 + 16;  // the largest window, with gzip's header
  z_stream stream{};
  check(deflateInit2(&stream, Z_BEST_COMPRESSION, Z_DEFLATED, kGzip, 9, Z_DEFAULT_STRATEGY) == Z_OK, "zlib is there");
  std::string out(deflateBound(&stream, bytes.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  check(deflate(&stream, Z_FINISH) == Z_STREAM_END, "the bound is large enough");
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

std::vector<PageFile> page_files() {
  std::vector<PageFile> files;
  for (const auto& built : built_page())
    files.push_back({.path = built.path,
                     .content_type = built.content_type,
                     .bytes = built.bytes,
                     .zipped = zip(built.bytes),
                     .tag = fmt::format("\"{:016x}\"", XXH3_64bits(built.bytes.data(), built.bytes.size()))});
  return files;
}

}  // namespace

const PageFile* find_page_file(std::string_view path) {
  static const auto files = page_files();
  const auto found = std::ranges::find(files, path, &PageFile::path);
  return found == files.end() ? nullptr : &*found;
}

}  // namespace pagoda::server
