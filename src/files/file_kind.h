// What a file is by its first bytes: the format to read it in, or why it can not be read.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace pagoda::files {

enum class Format { automatic, csv, tsv, jsonl, parquet, arrow, adjacency };

// The format by its name ("csv") or a path's extension ("x.csv.gz"). Error{usage}, naming the known ones.
Format format_from_name(std::string_view name);
Format format_from_path(const std::string& path);
std::optional<Format> format_named_by(const std::string& path);  // nothing when the extension says none

// The beginning of a file, decompressed.
struct FileHead {
  std::string bytes;  // at most 64 KiB
  bool whole = true;  // nothing follows
  bool compressed = false;
  bool regular = true;  // false: a pipe, of which nothing was read
};
FileHead read_head(const std::string& path);

// The format in which to read the file: the one told; by its content where that says so; else by its name. Error{input}
// naming the remedy: a kind of file that is not read (an archive, a database, a web page, a JSON document), or another
// one than was told.
Format find_format(const std::string& path, const FileHead& head, Format told);

}  // namespace pagoda::files
