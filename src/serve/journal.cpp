#include "serve/journal.h"

#include <fcntl.h>
#include <unistd.h>

#include <cstring>
#include <map>

#include "core/file.h"
#include "serve/json_request.h"

namespace pagoda {
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

}  // namespace

std::vector<ItemChange> Journal::read() {
  if (!file_exists(path_)) return {};
  const auto text = read_file(path_);
  const size_t whole = text.rfind('\n') + 1;  // 0 when no line is whole
  if (whole < text.size() && ::truncate(path_.c_str(), static_cast<off_t>(whole)) != 0)
    fail(ErrorKind::failed, "{}: can not be mended: {}", path_, std::strerror(errno));
  std::vector<ItemChange> changes;
  std::map<std::string, size_t, std::less<>> place;
  size_t number = 0, end = 0;
  for (size_t begin = 0; begin < whole; begin = end + 1) {
    end = text.find('\n', begin);
    ++number;
    try {
      auto change = change_of(std::string_view(text).substr(begin, end - begin));
      const auto [at, is_new] = place.try_emplace(change.item, changes.size());
      if (is_new)
        changes.push_back(std::move(change));
      else
        changes[at->second] = std::move(change);
    } catch (const Error& e) {
      fail(ErrorKind::failed, "{}:{}: is no change of an item: {}", path_, number, e.what());
    }
  }
  return changes;
}

void Journal::append(std::span<const ItemChange> changes) {
  std::string text;
  for (const auto& change : changes) text += line_of(change);
  const int file = ::open(path_.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
  const off_t before = file < 0 ? -1 : ::lseek(file, 0, SEEK_END);
  size_t written = 0;
  while (before >= 0 && written < text.size()) {
    const auto n = ::write(file, text.data() + written, text.size() - written);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) break;
    written += static_cast<size_t>(n);
  }
  const bool done = before >= 0 && written == text.size() && ::fdatasync(file) == 0;
  const std::string reason = std::strerror(errno);
  // A piece of a change must not stand before the next one.
  const bool undone = done || before < 0 || ::ftruncate(file, before) == 0;
  if (file >= 0) ::close(file);
  if (!done) fail(ErrorKind::failed, "{}: can not be written: {}{}", path_, reason, undone ? "" : "; nor mended");
}

}  // namespace pagoda
