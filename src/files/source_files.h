// Finds the files of paths, globs, folders and partitioned folders.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pagoda::files {

// With which the path of a table in memory begins (formats/memory_tables.h). It is no file: find_files() passes it on.
inline constexpr std::string_view kMemoryTable = "frame:";
inline bool is_memory_table(std::string_view path) { return path.starts_with(kMemoryTable); }

struct SourceFile {
  std::string path;        // "a.zip/b.csv": in an archive
  bool of_folder = false;  // found in a named folder, not named itself
  // The keys of hive-style folders, such as `dt=2024-05-01/`: name and decoded value; nothing for
  // __HIVE_DEFAULT_PARTITION__.
  std::vector<std::pair<std::string, std::optional<std::string>>> keys;
};

// The files that the paths mean, in the order of the paths and, for one path, by name. A path is a file, a folder (all
// files below it), a glob, in which `**` stands for any number of folders, or a file, folder or glob in an archive, as
// in "ml-1m.zip/ml-1m/ratings.dat". An archive itself stands for the one table in it. In folders and globs, names that
// begin with '_' or '.', checksums (.crc) and backups (~, .bak, .tmp) are skipped, as in Spark. A file that is found
// twice is read once. Logs what is read. Error{input}: no such file, an address of another machine, a table whose
// folder also holds files that are no longer part of it (Delta Lake, Hudi, Iceberg).
std::vector<SourceFile> find_files(const std::vector<std::string>& paths);

}  // namespace pagoda::files
