// Archives (zip, tar, 7z; a tar may be compressed): a member is named as if the archive were a folder,
// "ml-1m.zip/ml-1m/ratings.dat". Also the compressions that libarchive decodes.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "files/byte_source.h"

namespace pagoda::files {

struct ArchiveMember {
  std::string name;  // its path in the archive
  uint64_t size = 0;
};

struct MemberPath {
  std::string archive, member;
};

// Splits a path that goes on behind a regular file: "a.zip/b/c.csv" into "a.zip" and "b/c.csv". Nothing for any other
// path.
std::optional<MemberPath> split_member_path(const std::string& path);

// Whether the first bytes of a file, decompressed, are those of an archive.
bool begins_as_archive(std::string_view bytes);

// The files in an archive, in its order. Error{input}: damaged, encrypted names.
std::vector<ArchiveMember> archive_members(const std::string& path);

// The bytes of a member, which must exist; read() throws ReadError as of a file. Error{input}: no such member (names
// the nearest), encrypted.
std::unique_ptr<ByteSource> open_member(const MemberPath& path);

// Whether the first bytes are those of bzip2, xz or lz4; and the bytes of such a file. `path` is for messages.
std::string_view compression_of(std::string_view bytes);  // "" for any other content
std::unique_ptr<ByteSource> decompress(std::unique_ptr<ByteSource> packed, const std::string& path);

}  // namespace pagoda::files
