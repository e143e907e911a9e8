#include "stream/file_source.h"

#include <fmt/ranges.h>
#include <glob.h>

#include <algorithm>
#include <filesystem>
#include <thread>

#include "columns/column.h"
#include "core/error.h"
#include "core/log.h"

namespace pagoda::stream {

namespace {

constexpr int64_t kMostBytes = 1 << 20;  // of a file in one poll
constexpr auto kPause = std::chrono::milliseconds(20);

namespace fs = std::filesystem;

// Files in the making, and those of programs, are no data.
bool is_data(const fs::path& path) {
  const auto name = path.filename().string();
  return !name.starts_with('.') && !name.starts_with('_') && !name.ends_with(".tmp");
}

// The files that a file, folder or glob means now, by name.
std::vector<std::string> files_of(const std::string& path) {
  std::vector<std::string> found;
  glob_t matches{};
  if (::glob(path.c_str(), 0, nullptr, &matches) == 0)
    found.assign(matches.gl_pathv, matches.gl_pathv + matches.gl_pathc);
  ::globfree(&matches);
  std::vector<std::string> files;
  std::error_code ignored;
  for (const auto& one : found) {
    if (!fs::is_directory(one, ignored)) {
      files.push_back(one);
      continue;
    }
    for (const auto& entry : fs::recursive_directory_iterator(one, ignored))
      if (entry.is_regular_file(ignored) && is_data(entry.path())) files.push_back(entry.path().string());
  }
  std::ranges::sort(files);
  return files;
}

}  // namespace

FileSource::FileSource(std::vector<std::string> paths) : paths_(std::move(paths)) {}

void FileSource::start(const Offsets& offsets) {
  offsets_ = offsets;
  for (const auto& [name, offset] : offsets)
    if (offset > 0 && !std::filesystem::exists(name))
      log_warning("{}: was learnt up to byte {}, and is not there any more", name, offset);
  find_files();
  if (names_.empty()) log_warning("stream.files: no file matches '{}' yet", fmt::join(paths_, "', '"));
}

void FileSource::find_files() {
  for (const auto& path : paths_)
    for (const auto& file : files_of(path)) {
      if (!met_.insert(file).second) continue;
      names_.push_back(file);
      const auto known = offsets_.find(file);
      const int64_t offset = known == offsets_.end() ? 0 : known->second;
      files_.push_back({.begin = offset, .offset = offset});
    }
}

void FileSource::poll(std::chrono::milliseconds wait, std::vector<Message>& messages) {
  const auto until = std::chrono::steady_clock::now() + wait;
  const size_t before = messages.size();
  while (true) {
    find_files();
    for (uint32_t p = 0; p < files_.size(); ++p)
      if (p >= held_.size() || !held_[p]) read(p, messages);
    if (messages.size() > before || std::chrono::steady_clock::now() + kPause > until) return;
    std::this_thread::sleep_for(kPause);
  }
}

void FileSource::read(uint32_t partition, std::vector<Message>& messages) {
  auto& file = files_[partition];
  const auto& name = names_[partition];
  std::error_code error;
  const auto size = static_cast<int64_t>(std::filesystem::file_size(name, error));
  if (error) {
    if (!file.gone) log_warning("{}: {}; what was read of it stands", name, error.message());
    file.gone = true;
    file.size = file.offset;
    return;
  }
  file.gone = false;
  if (size < file.offset)
    fail(ErrorKind::failed, "{}: has {} bytes, and was read up to byte {}: a stream's files only grow", name, size,
         file.offset);
  file.size = size;
  if (size == file.offset) return;
  std::ifstream in(name, std::ios::binary);
  std::string bytes;
  for (int64_t most = kMostBytes; bytes.find('\n') == bytes.npos; most *= 2) {  // a line may be longer than that
    if (static_cast<int64_t>(bytes.size()) == size - file.offset) {             // it has no end yet
      file.size = file.offset;
      return;
    }
    bytes.resize(static_cast<size_t>(std::min(most, size - file.offset)));
    in.clear();
    in.seekg(file.offset);
    in.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    if (!in) fail(ErrorKind::failed, "{}: cannot be read at byte {}", name, file.offset);
  }
  size_t begin = 0;
  for (size_t end = bytes.find('\n'); end != bytes.npos; begin = end + 1, end = bytes.find('\n', begin)) {
    const std::string_view line(bytes.data() + begin, end - begin);
    if (columns::trim(line).empty()) continue;
    messages.push_back({.partition = partition,
                        .offset = file.offset + static_cast<int64_t>(begin),
                        .next = file.offset + static_cast<int64_t>(end) + 1,
                        .value = std::string(line)});
  }
  const bool all = file.offset + static_cast<int64_t>(bytes.size()) == size;
  file.offset += static_cast<int64_t>(begin);
  if (all) file.size = file.offset;  // what is left is no whole line
}

int64_t FileSource::lag() const {
  int64_t bytes = 0;
  for (const auto& file : files_) bytes += file.size - file.offset;
  return bytes;
}

std::string FileSource::place(uint32_t partition, int64_t offset) const {
  return fmt::format("{}, byte {}", names_[partition], offset);
}

}  // namespace pagoda::stream
