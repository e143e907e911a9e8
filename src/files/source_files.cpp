#include "files/source_files.h"

#include <fnmatch.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <set>

#include "core/error.h"
#include "core/log.h"
#include "core/suggest.h"
#include "files/archive.h"
#include "files/file_kind.h"

namespace pagoda::files {

namespace {

namespace fs = std::filesystem;

bool is_glob(std::string_view text) { return text.find_first_of("*?[") != text.npos; }

// Files that programs keep beside the data (_SUCCESS, _temporary, .part-0.csv.crc), and backups.
bool is_auxiliary(const std::string& name) {
  if (name[0] == '_' || name[0] == '.') return true;
  for (const char* ending : {".crc", "~", ".bak", ".tmp", ".crdownload"})
    if (name.ends_with(ending)) return true;
  return false;
}

// The names in a folder, sorted. A folder that cannot be read is an error, not an empty folder.
std::vector<std::string> names_in(const std::string& folder) {
  std::error_code error;
  std::vector<std::string> names;
  fs::directory_iterator entries(folder.empty() ? "." : folder, error);
  if (error) fail(ErrorKind::input, "{}: the folder cannot be read: {}", folder, error.message());
  for (const auto& entry : entries) names.push_back(entry.path().filename().string());
  std::ranges::sort(names);
  return names;
}

bool is_folder(const std::string& path) {
  std::error_code ignored;
  return fs::is_directory(path, ignored);
}

// Walks the files and folders that match a pattern, part by part between slashes.
class Walk {
 public:
  explicit Walk(std::string_view pattern) {
    if (pattern.starts_with('/')) root_ = "/";
    for (size_t at = 0; at < pattern.size();) {
      const size_t end = std::min(pattern.find('/', at), pattern.size());
      if (end > at) parts_.emplace_back(pattern.substr(at, end - at));
      at = end + 1;
    }
  }

  // The files, in order of their paths; `aside` gets the names passed over.
  std::vector<std::string> files(std::vector<std::string>& passed_over) {
    aside_ = &passed_over;
    step(root_, 0);
    std::ranges::sort(found_);
    found_.erase(std::unique(found_.begin(), found_.end()), found_.end());
    return std::move(found_);
  }

 private:
  void step(const std::string& folder, size_t part) {
    if (part == parts_.size()) return;
    const auto& pattern = parts_[part];
    const bool last = part + 1 == parts_.size();
    if (pattern == "**") return below(folder, part);
    if (!is_glob(pattern)) return enter(folder + pattern, part, last);
    for (const auto& name : names_in(folder)) {
      if (fnmatch(pattern.c_str(), name.c_str(), FNM_PERIOD) != 0) continue;
      const bool meant = is_auxiliary(pattern);  // as in '_*' or '*.bak'
      if (is_auxiliary(name) && !meant)
        aside_->push_back(name);
      else
        enter(folder + name, part, last);
    }
  }

  void enter(const std::string& path, size_t part, bool last) {
    std::error_code ignored;
    if (!fs::exists(path, ignored)) return;
    if (!is_folder(path)) {
      if (last) found_.push_back(path);
    } else if (!last) {
      step(path + "/", part + 1);
    }
  }

  // `**`: matches the rest of the pattern in this folder and all folders below it. At the end of a pattern it means all
  // files.
  void below(const std::string& folder, size_t part) {
    const bool last = part + 1 == parts_.size();
    if (!last) step(folder, part + 1);
    struct stat info{};
    // A link to a parent folder would never end.
    if (stat(folder.empty() ? "." : folder.c_str(), &info) != 0 || !open_.insert({info.st_dev, info.st_ino}).second)
      return;
    for (const auto& name : names_in(folder)) {
      const auto path = folder + name;
      if (is_folder(path)) {
        if (!is_auxiliary(name)) below(path + "/", part);
      } else if (last) {
        if (is_auxiliary(name))
          aside_->push_back(name);
        else
          found_.push_back(path);
      }
    }
    open_.erase({info.st_dev, info.st_ino});
  }

  std::string root_;
  std::vector<std::string> parts_, found_;
  std::vector<std::string>* aside_ = nullptr;
  std::set<std::pair<dev_t, ino_t>> open_;  // the folders on the path to the current one
};

// The kind of table if `folder` is that of a table whose log says which of its files are valid; "" otherwise.
std::string_view log_table_kind(const std::string& folder) {
  const auto has = [&](const char* name) { return is_folder((folder.empty() ? "." : folder) + "/" + name); };
  if (has("_delta_log")) return "a Delta Lake";
  if (has(".hoodie")) return "a Hudi";
  if (has("metadata") && has("data"))
    for (const auto& name : names_in(folder + "/metadata"))
      if (name.ends_with(".metadata.json")) return "an Iceberg";
  return {};
}

std::string export_of(std::string_view kind, const std::string& folder) {
  if (kind == "a Hudi") return "export the current rows to Parquet, as with Spark";
  return fmt::format("export the current rows, as with DuckDB: COPY (FROM {}_scan('{}')) TO 'log.parquet'",
                     kind == "an Iceberg" ? "iceberg" : "delta", folder);
}

// Looks for such a table above a file, through the folders of partitions. Iceberg's data lies one folder below its
// table.
std::optional<std::pair<std::string, std::string_view>> table_of(const std::string& path) {
  auto folder = fs::path(path).parent_path();
  for (int above = 0; above < 8; ++above) {
    if (const auto kind = log_table_kind(folder.string()); !kind.empty()) return {{folder.string(), kind}};
    const auto name = folder.filename().string();
    const bool partition = name.find('=') != name.npos;
    if (!partition && name != "data") return {};
    folder = folder.parent_path();
  }
  return {};
}

std::string decoded(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    unsigned value = 0;
    if (text[i] == '%' && i + 2 < text.size() && std::isxdigit(static_cast<unsigned char>(text[i + 1])) &&
        std::isxdigit(static_cast<unsigned char>(text[i + 2]))) {
      value = static_cast<unsigned>(std::stoul(std::string(text.substr(i + 1, 2)), nullptr, 16));
      out += static_cast<char>(value);
      i += 2;
    } else {
      out += text[i];
    }
  }
  return out;
}

SourceFile source_file(const std::string& path) {
  SourceFile file{path, false, {}};
  for (const auto& part : fs::path(path).parent_path()) {
    const auto name = part.string();
    const size_t equals = name.find('=');
    if (equals == name.npos || equals == 0) continue;
    const auto key = decoded(name.substr(0, equals)), value = decoded(name.substr(equals + 1));
    file.keys.emplace_back(key, value == "__HIVE_DEFAULT_PARTITION__" ? std::nullopt : std::optional(value));
  }
  return file;
}

void refuse_address(const std::string& path) {
  const size_t at = path.find("://");
  if (at == path.npos || at == 0 || path.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789+") != at) return;
  const auto scheme = path.substr(0, at);
  std::string_view how = "copy it here first";
  if (scheme == "http" || scheme == "https" || scheme == "ftp") how = "download it first, as with 'curl -O'";
  if (scheme == "s3" || scheme == "s3a" || scheme == "s3n") how = "copy it here first, as with 'aws s3 cp --recursive'";
  if (scheme == "gs") how = "copy it here first, as with 'gsutil cp -r'";
  if (scheme == "hdfs") how = "copy it here first, as with 'hdfs dfs -get'";
  if (scheme == "file") how = "write the path alone";
  fail(ErrorKind::input, "{}: files are read from this machine's disk, not from {}://; {}", path, scheme, how);
}

[[noreturn]] void fail_missing(const std::string& wanted) {
  if (wanted.starts_with("~/"))
    fail(ErrorKind::input, "{}: no such file; '~' means the home folder to a shell alone: write it out", wanted);
  const fs::path path(wanted);
  const fs::path folder = path.has_parent_path() ? path.parent_path() : fs::path(".");
  if (!is_folder(folder.string()))
    fail(ErrorKind::input, "{}: no such file; there is no folder '{}'", wanted, folder.string());
  const auto near = nearest(path.filename().string(), names_in(folder.string()));
  fail(ErrorKind::input, "{}: no such file{}", wanted,
       near.empty() ? "" : fmt::format("; did you mean '{}'?", (path.parent_path() / near).string()));
}

std::string without_end(std::string path) {
  while (path.size() > 1 && path.ends_with('/')) path.pop_back();
  return path;
}

bool is_document(std::string name) {
  std::ranges::transform(name, name.begin(), [](unsigned char c) { return std::toupper(c); });
  for (const char* beginning : {"README", "LICENSE", "LICENCE", "COPYING"})
    if (name.starts_with(beginning)) return true;
  for (const char* ending : {".MD", ".PDF", ".HTML", ".DOC", ".DOCX", ".RTF"})
    if (name.ends_with(ending)) return true;
  return false;
}

// Whether a member of an archive may be a table: no document, and nothing that a program keeps beside its files.
bool may_be_table(const std::string& member) {
  for (const auto& part : fs::path(member))
    if (is_auxiliary(part.string())) return false;
  return !is_document(fs::path(member).filename().string());
}

std::string megabytes(uint64_t bytes) { return fmt::format("{:.1f} MB", static_cast<double>(bytes) / 1e6); }

// The members of an archive that a pattern means: one of them, a folder in it, a glob; "": the only table.
std::vector<SourceFile> expand_archive(const std::string& archive, const std::string& pattern,
                                       std::vector<std::string>& passed_over) {
  const auto members = archive_members(archive);
  std::vector<SourceFile> files;
  std::vector<std::string> names;
  const auto folder = pattern.empty() || pattern.ends_with('/') ? pattern : pattern + "/";
  for (const auto& [name, size] : members) {
    names.push_back(name);
    const bool named = name == pattern;
    if (!named && !name.starts_with(folder) && !(is_glob(pattern) && fnmatch(pattern.c_str(), name.c_str(), 0) == 0))
      continue;
    if (!named && !may_be_table(name)) {
      passed_over.push_back(name);
      continue;
    }
    files.push_back(source_file(archive + "/" + name));
    files.back().of_folder = !named;
  }
  if (files.empty())
    fail(ErrorKind::input, "{}: the archive has no {}{}", archive,
         pattern.empty() ? "file in it that may be a table" : fmt::format("file '{}'", pattern),
         pattern.empty() ? "" : suggestion(pattern, names));
  if (!pattern.empty() || files.size() == 1) {
    std::ranges::sort(files, {}, &SourceFile::path);
    if (pattern.empty()) files[0].of_folder = false;
    return files;
  }
  std::string list;
  for (size_t i = 0; i < files.size() && i < 12; ++i) {
    const auto member = files[i].path.substr(archive.size() + 1);
    const auto size = std::ranges::find(members, member, &ArchiveMember::name)->size;
    list += fmt::format("\n  {}  {}", files[i].path, size > 0 ? megabytes(size) : "");
  }
  fail(ErrorKind::input, "{}: is an archive of {} files; name the one that is meant:{}{}", archive, files.size(), list,
       files.size() > 12 ? "\n  ..." : "");
}

// Whether a file on disk is an archive; an office document, which is one too, is refused later by its kind.
bool is_archive(const std::string& path) {
  if (path == "-") return false;
  const auto head = read_head(path);
  const auto& bytes = head.bytes;
  return head.regular && begins_as_archive(bytes) && bytes.find("[Content_Types].xml") == bytes.npos;
}

// The files that one path means.
std::vector<SourceFile> expand(const std::string& path, std::vector<std::string>& passed_over) {
  if (is_memory_table(path)) return {{path, false, {}}};
  refuse_address(path);
  std::error_code ignored;
  const bool there = fs::exists(path, ignored);
  const bool folder = there && is_folder(path);
  if (there && !folder) {
    if (const auto table = table_of(path))
      log_warning("{}: lies in {} table, and may be one of its files that are no longer valid; to be sure, {}", path,
                  table->second, export_of(table->second, table->first));
    if (is_archive(path)) return expand_archive(path, "", passed_over);
    return {source_file(path)};
  }
  if (const auto member = split_member_path(path)) return expand_archive(member->archive, member->member, passed_over);
  if (!folder && !is_glob(path)) fail_missing(path);
  const auto found = Walk(folder ? without_end(path) + "/**" : path).files(passed_over);
  if (found.empty() && folder && !log_table_kind(path).empty())
    fail(ErrorKind::input, "{}: is {} table; {}", path, log_table_kind(path), export_of(log_table_kind(path), path));
  if (found.empty()) fail(ErrorKind::input, "{}: no file {}", path, folder ? "is in this folder" : "matches");
  std::vector<SourceFile> files;
  std::set<fs::path> looked_at;
  for (const auto& file : found) {
    if (looked_at.insert(fs::path(file).parent_path()).second)
      if (const auto table = table_of(file))
        fail(ErrorKind::input, "{}: '{}' is {} table, whose folder also holds files that are no longer part of it; {}",
             path, table->first, table->second, export_of(table->second, table->first));
    files.push_back(source_file(file));
    files.back().of_folder = folder;
  }
  return files;
}

// Warns of a file and its compressed copy, which would be read as two files.
void warn_of_copies(const std::vector<SourceFile>& files) {
  std::set<std::string> paths;
  for (const auto& file : files) paths.insert(file.path);
  for (const auto& path : paths)
    for (const char* ending : {".gz", ".zst", ".bz2", ".xz", ".zip"})
      if (paths.contains(path + ending))
        log_once(LogLevel::warning,
                 fmt::format("{0} and {0}{1} are both read; if one is a copy of the other, remove it", path, ending));
}

}  // namespace

std::vector<SourceFile> find_files(const std::vector<std::string>& paths) {
  std::vector<SourceFile> files;
  std::vector<std::string> passed_over, twice;
  std::set<std::pair<dev_t, ino_t>> met;
  for (const auto& path : paths)
    for (auto& file : expand(path, passed_over)) {
      struct stat info{};
      if (stat(file.path.c_str(), &info) == 0 && !met.insert({info.st_dev, info.st_ino}).second)
        twice.push_back(file.path);
      else
        files.push_back(std::move(file));
    }
  if (files.empty()) fail(ErrorKind::input, "no input file is given");
  if (!twice.empty())
    log_once(LogLevel::warning,
             fmt::format("{}: is named twice{}; it is read once", twice[0],
                         twice.size() > 1 ? fmt::format(", as are {} more file(s)", twice.size() - 1) : ""));
  warn_of_copies(files);
  if (files.size() > 1 || !passed_over.empty())
    log_once(
        LogLevel::info,
        fmt::format("reading {} file{}{}{}", files.size(), files.size() > 1 ? "s, from " : ", ", files[0].path,
                    files.size() > 1 ? fmt::format(" to {}", files.back().path) : "") +
            (passed_over.empty() ? "" : fmt::format("; {} passed over, as {}", passed_over.size(), passed_over[0])));
  return files;
}

}  // namespace pagoda::files
