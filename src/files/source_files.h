// From what a person names to files: globs, folders, folders of partitions.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace pagoda::files {

struct SourceFile {
  std::string path;
  bool of_folder = false;  // found in a folder that was named, not named itself
  // Of hive-style folders, as in `dt=2024-05-01/`: name and value, decoded; nothing for __HIVE_DEFAULT_PARTITION__.
  std::vector<std::pair<std::string, std::optional<std::string>>> keys;
};

// The files that the paths mean, in the order of the paths and, of one path, of name. A path is a file, a folder (all the
// files below it) or a glob, in which `**` is any number of folders. In folders and globs, names that begin with '_' or
// '.', checksums (.crc) and copies (~, .bak, .tmp) are passed over, as Spark does with what it writes beside the data. A file that is met
// twice is read once. What is read is said. Error{input}: nothing there, an address of another machine, a table whose
// folder holds files that are no part of it (Delta Lake, Hudi, Iceberg).
std::vector<SourceFile> find_files(const std::vector<std::string>& paths);

}  // namespace pagoda::files
