#include "retrieval/item_journal.h"

#include <unordered_map>

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
  contents.lines = for_each_line(whole_lines, [&](std::string_view line, size_t number) {
    try {
      all.push_back(change_of(line));
    } catch (const Error& e) {
      fail(ErrorKind::failed, "{}:{}: is not a change of an item: {}", path, number, e.what());
    }
    last[all.back().item] = all.size() - 1;
    yield_to_foreground(throttle);
  });
  for (size_t i = 0; i < all.size(); ++i)
    if (last[all[i].item] == i) contents.changes.push_back(std::move(all[i]));
  return contents;
}

}  // namespace

std::string item_journal_path(const std::string& bundle) { return bundle + ".items"; }

std::vector<ItemChange> read_item_journal(const std::string& path) {
  return contents_of(path, read_whole_lines(path)).changes;
}

std::vector<ItemChange> ItemJournal::read(BackgroundThrottle* throttle) {
  Contents contents;
  lines_.read([&](std::string_view lines) { contents = contents_of(lines_.path(), lines, throttle); });
  count_ = contents.lines;
  items_ = contents.changes.size();
  return std::move(contents.changes);
}

void ItemJournal::append(std::span<const ItemChange> changes, BackgroundThrottle* throttle) {
  std::string text;
  for (const auto& change : changes) {
    text += line_of(change);
    yield_to_foreground(throttle);
  }
  lines_.append(text);
  count_ += changes.size();
}

void ItemJournal::Compaction::write(BackgroundThrottle* throttle) {
  lines_->write([&](std::string_view before, AtomicFile& out) {
    const auto contents = contents_of(lines_->path(), before, throttle);
    for (const auto& change : contents.changes) {
      out.write(line_of(change));
      yield_to_foreground(throttle);
    }
    items_ = contents.changes.size();
  });
}

std::unique_ptr<ItemJournal::Compaction> ItemJournal::start_compaction() {
  auto lines = lines_.start_compaction();
  return lines ? std::make_unique<Compaction>(std::move(lines)) : nullptr;
}

void ItemJournal::replace(Compaction& compaction) {
  const auto since = lines_.replace(*compaction.lines_);
  if (!since) return;
  items_ = compaction.items_;
  count_ = items_ + *since;
}

}  // namespace pagoda::retrieval
