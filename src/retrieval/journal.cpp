#include "retrieval/journal.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <unordered_map>

#include "core/log.h"
#include "retrieval/exact_json.h"
#include "retrieval/json_request.h"

namespace pagoda::retrieval {
namespace {

using nlohmann::json;

constexpr int kDepth = 8;

std::string line_of(const ItemChange& change) {
  json line{{"item", change.item}};
  if (change.deleted) {
    line["deleted"] = true;
  } else {
    auto& attributes = line["attributes"] = json::object();
    for (const auto& one : change.attributes)
      attributes[one.name] = one.is_list ? json(one.values) : json(one.values[0]);
  }
  return line.dump() + "\n";
}

ItemChange change_of(std::string_view text) {
  const auto line = parse_json(text, kDepth);
  if (!line.is_object() || !line.contains("item")) fail(ErrorKind::input, "names no item");
  ItemChange change{.item = read_id(line["item"], "item"), .attributes = {}, .deleted = line.contains("deleted")};
  if (!change.deleted && line.contains("attributes"))
    change.attributes = read_features(line["attributes"], "attributes");
  return change;
}

struct Contents {
  std::vector<ItemChange> changes;  // the last of each item, in order
  size_t lines = 0;
};

Contents contents_of(const std::string& path, std::string_view whole_lines, BackgroundThrottle* throttle = nullptr) {
  Contents contents;
  std::unordered_map<std::string, size_t> last;
  std::vector<ItemChange> all;
  size_t end = 0;
  for (size_t begin = 0; begin < whole_lines.size(); begin = end + 1) {
    end = whole_lines.find('\n', begin);
    ++contents.lines;
    try {
      all.push_back(change_of(whole_lines.substr(begin, end - begin)));
    } catch (const Error& e) {
      fail(ErrorKind::failed, "{}:{}: is not a change of an item: {}", path, contents.lines, e.what());
    }
    last[all.back().item] = all.size() - 1;
    yield_to_foreground(throttle);
  }
  for (size_t i = 0; i < all.size(); ++i)
    if (last[all[i].item] == i) contents.changes.push_back(std::move(all[i]));
  return contents;
}

// The text up to the end of its last whole line.
std::string_view whole_lines(std::string_view text) { return text.substr(0, text.rfind('\n') + 1); }

}  // namespace

std::string journal_path(const std::string& bundle) { return bundle + ".items"; }

std::vector<ItemChange> read_journal(const std::string& path) {
  if (!file_exists(path)) return {};
  const auto text = read_file(path);
  return contents_of(path, whole_lines(text)).changes;
}

bool Journal::owned() {
  if (lock_.held()) return true;
  if (!lock_.take()) return false;
  if (file_exists(path_)) truncate_torn_tail(read_file(path_));
  return true;
}

void Journal::truncate_torn_tail(std::string_view text) {
  const auto whole = whole_lines(text).size();
  if (whole < text.size() && ::truncate(path_.c_str(), static_cast<off_t>(whole)) != 0)
    fail(ErrorKind::failed, "{}: the incomplete last line cannot be removed: {}", path_, std::strerror(errno));
}

bool Journal::acquire() {
  if (lock_.held() || !owned()) return false;
  struct stat s{};
  const size_t bytes = ::stat(path_.c_str(), &s) == 0 ? static_cast<size_t>(s.st_size) : 0;
  return bytes != read_bytes_;
}

std::vector<ItemChange> Journal::read(BackgroundThrottle* throttle) {
  lines_ = items_ = read_bytes_ = 0;
  if (!file_exists(path_)) return {};
  if (!lock_.take())
    log_info("{}: is only read, because another process changes it or {}.lock cannot be created", path_, path_);
  const auto text = read_file(path_);
  if (lock_.held()) truncate_torn_tail(text);
  const auto whole = whole_lines(text);
  auto contents = contents_of(path_, whole, throttle);
  read_bytes_ = whole.size();
  lines_ = contents.lines;
  items_ = contents.changes.size();
  return std::move(contents.changes);
}

Journal::Compaction::Compaction(std::string path, size_t end, uint64_t inode)
    : path_(std::move(path)), end_(end), inode_(inode) {}

void Journal::Compaction::write(BackgroundThrottle* throttle) {
  const auto text = read_file(path_);
  const auto contents = contents_of(path_, std::string_view(text).substr(0, end_), throttle);
  file_ = std::make_unique<AtomicFile>(path_);
  for (const auto& change : contents.changes) {
    file_->write(line_of(change));
    yield_to_foreground(throttle);
  }
  lines_ = contents.changes.size();
}

std::unique_ptr<Journal::Compaction> Journal::start_compaction() {
  struct stat s{};
  if (::stat(path_.c_str(), &s) != 0 || !owned()) return nullptr;
  return std::make_unique<Compaction>(path_, static_cast<size_t>(s.st_size), s.st_ino);
}

void Journal::replace(Compaction& compaction) {
  struct stat s{};
  if (::stat(path_.c_str(), &s) != 0 || s.st_ino != compaction.inode_) return;
  const auto text = read_file(path_);
  if (text.size() < compaction.end_) return;
  const auto since = std::string_view(text).substr(compaction.end_);
  compaction.file_->write(since);
  compaction.file_->commit();
  items_ = compaction.lines_;
  lines_ = items_ + static_cast<size_t>(std::ranges::count(since, '\n'));
}

void Journal::append(std::span<const ItemChange> changes, BackgroundThrottle* throttle) {
  std::string text;
  for (const auto& change : changes) {
    text += line_of(change);
    yield_to_foreground(throttle);
  }
  if (!owned())
    throw JournalBusy(
        fmt::format("{}: cannot be written: another process changes it, or {}.lock cannot be created", path_, path_));
  const int file = ::open(path_.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
  const off_t before = file < 0 ? -1 : ::lseek(file, 0, SEEK_END);
  size_t written = 0;
  while (before >= 0 && written < text.size()) {
    const auto n = ::write(file, text.data() + written, text.size() - written);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) break;
    written += static_cast<size_t>(n);
  }
  bool done = before >= 0 && written == text.size() && ::fdatasync(file) == 0;
  std::string reason = std::strerror(errno);
  try {
    if (done && before == 0) sync_folder_of(path_);  // a new file: its name must be on disk, too
  } catch (const Error& e) {
    done = false;
    reason = e.what();
  }
  // A torn change must not precede the next one.
  const bool undone = done || before < 0 || ::ftruncate(file, before) == 0;
  if (file >= 0) ::close(file);
  if (!done)
    fail(ErrorKind::failed, "{}: cannot be written: {}{}", path_, reason,
         undone ? "" : "; its incomplete last line cannot be removed, either");
  lines_ += changes.size();
}

}  // namespace pagoda::retrieval
