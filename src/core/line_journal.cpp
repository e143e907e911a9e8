#include "core/line_journal.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>

#include "core/log.h"

namespace pagoda {
namespace {

std::string read_from(const std::string& path, size_t begin, size_t size) {
  std::string text(size, '\0');
  std::ifstream in(path, std::ios::binary);
  in.seekg(static_cast<std::streamoff>(begin));
  in.read(text.data(), static_cast<std::streamsize>(size));
  if (!in) fail(ErrorKind::failed, "{}: cannot be read", path);
  return text;
}

std::string_view whole_lines(std::string_view text) { return text.substr(0, text.rfind('\n') + 1); }

}  // namespace

std::string read_whole_lines(const std::string& path) {
  if (!file_exists(path)) return {};
  auto text = read_file(path);
  text.resize(whole_lines(text).size());
  return text;
}

size_t for_each_line(std::string_view whole_lines, const std::function<void(std::string_view, size_t)>& f) {
  size_t number = 0, end = 0;
  for (size_t begin = 0; begin < whole_lines.size(); begin = end + 1) {
    end = whole_lines.find('\n', begin);
    f(whole_lines.substr(begin, end - begin), ++number);
  }
  return number;
}

bool LineJournal::owned() {
  if (lock_.held()) return true;
  if (!lock_.take()) return false;
  unread_ = true;
  if (file_exists(path_)) truncate_torn_tail(read_file(path_));
  return true;
}

void LineJournal::truncate_torn_tail(std::string_view text) {
  const auto whole = whole_lines(text).size();
  if (whole < text.size() && ::truncate(path_.c_str(), static_cast<off_t>(whole)) != 0)
    fail(ErrorKind::failed, "{}: the incomplete last line cannot be removed: {}", path_, std::strerror(errno));
}

bool LineJournal::acquire() {
  if (!owned() || !unread_) return false;
  struct stat s{};
  const size_t bytes = ::stat(path_.c_str(), &s) == 0 ? static_cast<size_t>(s.st_size) : 0;
  unread_ = bytes != read_bytes_;
  return unread_;
}

void LineJournal::read(const std::function<void(std::string_view)>& take) {
  std::string text;
  if (file_exists(path_)) {
    if (!lock_.take())
      log_info("{}: is only read, because another process changes it or {}.lock cannot be created", path_, path_);
    text = read_file(path_);
    if (lock_.held()) truncate_torn_tail(text);
  }
  const auto whole = whole_lines(text);
  take(whole);
  read_bytes_ = whole.size();
  unread_ = false;
}

LineJournal::Compaction::Compaction(std::string path, size_t end, uint64_t inode)
    : path_(std::move(path)), end_(end), inode_(inode) {}

void LineJournal::Compaction::write(const std::function<void(std::string_view, AtomicFile&)>& rewrite) {
  const auto text = read_file(path_);
  file_ = std::make_unique<AtomicFile>(path_);
  rewrite(std::string_view(text).substr(0, end_), *file_);
  file_->flush();  // here, where it may take long, and not in replace()
}

std::unique_ptr<LineJournal::Compaction> LineJournal::start_compaction() {
  struct stat s{};
  if (!file_exists(path_) || !owned() || ::stat(path_.c_str(), &s) != 0) return nullptr;  // owned() may shorten it
  return std::make_unique<Compaction>(path_, static_cast<size_t>(s.st_size), s.st_ino);
}

std::optional<size_t> LineJournal::replace(Compaction& compaction) {
  struct stat s{};
  if (::stat(path_.c_str(), &s) != 0 || s.st_ino != compaction.inode_) return std::nullopt;
  if (static_cast<size_t>(s.st_size) < compaction.end_) return std::nullopt;
  const auto since = read_from(path_, compaction.end_, static_cast<size_t>(s.st_size) - compaction.end_);
  compaction.file_->write(since);
  compaction.file_->commit();
  return static_cast<size_t>(std::ranges::count(since, '\n'));
}

void LineJournal::append(std::string_view lines) {
  if (!owned())
    throw JournalBusy(
        fmt::format("{}: cannot be written: another process changes it, or {}.lock cannot be created", path_, path_));
  const int file = ::open(path_.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
  const off_t before = file < 0 ? -1 : ::lseek(file, 0, SEEK_END);
  size_t written = 0;
  while (before >= 0 && written < lines.size()) {
    const auto n = ::write(file, lines.data() + written, lines.size() - written);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) break;
    written += static_cast<size_t>(n);
  }
  bool done = before >= 0 && written == lines.size() && ::fdatasync(file) == 0;
  std::string reason = std::strerror(errno);
  try {
    if (done && before == 0) sync_folder_of(path_);  // a new file: its name must be on disk, too
  } catch (const Error& e) {
    done = false;
    reason = e.what();
  }
  // A torn line must not precede the next one.
  const bool undone = done || before < 0 || ::ftruncate(file, before) == 0;
  if (file >= 0) ::close(file);
  if (!done)
    fail(ErrorKind::failed, "{}: cannot be written: {}{}", path_, reason,
         undone ? "" : "; its incomplete last line cannot be removed, either");
}

}  // namespace pagoda
