#include "retrieval/browse_index.h"

#include <algorithm>
#include <array>
#include <functional>
#include <map>

namespace pagoda::retrieval {
namespace {

constexpr size_t kMapped = 3000, kSearchedItems = 200'000, kSearchedUsers = 1'000'000;
constexpr size_t kExampleHistory = 5;  // items that an example user has seen, at least

char lowered(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool of_a_word(char c) { return (lowered(c) >= 'a' && lowered(c) <= 'z') || (c >= '0' && c <= '9') || (c & 0x80); }

bool begins_with(std::string_view text, std::string_view lowered_start) {
  return text.size() >= lowered_start.size() && std::equal(lowered_start.begin(), lowered_start.end(), text.begin(),
                                                           [](char a, char b) { return a == lowered(b); });
}

bool has_word_that_begins(std::string_view text, std::string_view lowered_start) {
  for (size_t at = 0; at + lowered_start.size() <= text.size(); ++at)
    if ((at == 0 || !of_a_word(text[at - 1])) && begins_with(text.substr(at), lowered_start)) return true;
  return false;
}

std::string lowered(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](char c) { return lowered(c); });
  return out;
}

}  // namespace

BrowseIndex::BrowseIndex(std::shared_ptr<const model::Bundle> bundle)
    : bundle_(std::move(bundle)), map_(make_item_map(bundle_->item_vectors(), kMapped)) {
  rank();
}

// Ranks with a histogram of the counts, because there are few distinct counts however many items there are.
void BrowseIndex::rank() {
  struct Share {
    std::string_view name;
    size_t percent;
  };
  static constexpr std::array<Share, 5> kShares{
      {{"top 1%", 1}, {"1-5%", 5}, {"5-20%", 20}, {"20-50%", 50}, {"bottom 50%", 100}}};
  const auto& counts = bundle_->item_counts();
  std::map<uint64_t, uint64_t, std::greater<>> items_with;
  for (const auto count : counts) ++items_with[count];
  uint64_t least = 0, above = 0;  // the `above` items with more rows than `least` are all searched
  for (const auto& [count, items] : items_with) {
    least = count;
    if (above + items >= kSearchedItems) break;
    above += items;
  }
  for (uint32_t row = 0; row < counts.size(); ++row)
    if (counts[row] > least) popular_.push_back(row);
  for (uint32_t row = 0; row < counts.size() && popular_.size() < kSearchedItems; ++row)
    if (counts[row] == least) popular_.push_back(row);
  std::ranges::stable_sort(popular_, std::greater<>(), [&](uint32_t row) { return counts[row]; });

  if (items_with.empty() || items_with.begin()->first == 0) return;
  auto next = items_with.begin();
  uint64_t taken = 0;
  for (const auto& share : kShares) {
    PopularityBucket bucket{.name = share.name};
    for (const uint64_t end = (counts.size() * share.percent + 99) / 100; next != items_with.end() && taken < end;
         ++next) {
      taken += next->second;
      bucket.least_count = next->first;
      bucket.items += next->second;
      bucket.rows += next->first * next->second;
    }
    if (bucket.items > 0) popularity_.push_back(bucket);
  }
}

uint64_t BrowseIndex::count(uint32_t row) const {
  return row < bundle_->item_counts().size() ? bundle_->item_counts()[row] : 0;
}

std::vector<uint32_t> BrowseIndex::find_items(const Retrieval& retrieval, std::string_view text, size_t limit) const {
  const auto start = lowered(text);
  const auto* titles = bundle_->title_column();
  const auto column = titles ? static_cast<size_t>(titles - bundle_->item_attributes().columns.data()) : 0;
  std::vector<uint32_t> rows;
  const uint32_t whole = retrieval.find_item(text);
  if (whole != columns::Interner::kNone && limit > 0) rows.push_back(whole);
  std::string scratch;
  const auto take = [&](uint32_t row) {
    if (row == whole) return;
    bool found = begins_with(retrieval.item_id(row), start);
    if (!found && titles) {
      const auto [cells, cell] = retrieval.attribute(column, row);
      found = cell != columns::Interner::kNone && has_word_that_begins(cells->as_text(cell, scratch), start);
    }
    // A deleted or replaced item is no longer found under its id.
    if (found && retrieval.find_item(retrieval.item_id(row)) == row) rows.push_back(row);
  };
  for (size_t i = 0; i < popular_.size() && rows.size() < limit; ++i) take(popular_[i]);
  for (auto row = bundle_->item_ids().size(); row < retrieval.items() && rows.size() < limit; ++row) take(row);
  return rows;
}

std::vector<uint32_t> BrowseIndex::find_users(std::string_view text, size_t limit) const {
  std::vector<uint32_t> rows;
  const auto& ids = bundle_->user_ids();
  if (text.empty()) {
    const auto stride = static_cast<uint32_t>(std::max<size_t>(1, ids.size() / std::max<size_t>(1, limit)));
    uint32_t user = 0;
    for (uint32_t from = 0; from < ids.size() && rows.size() < limit; from += stride) {
      for (user = std::max(user, from); user < ids.size() && user - from < kSearchedUsers; ++user)
        if (bundle_->user_states().histories[user].size() >= kExampleHistory) {
          rows.push_back(user++);
          break;
        }
    }
    return rows;
  }
  const uint32_t whole = ids.find(text);
  if (whole != columns::Interner::kNone && limit > 0) rows.push_back(whole);
  const auto start = lowered(text);
  const auto end = static_cast<uint32_t>(std::min<size_t>(ids.size(), kSearchedUsers));
  for (uint32_t user = 0; user < end && rows.size() < limit; ++user)
    if (user != whole && begins_with(ids[user], start)) rows.push_back(user);
  return rows;
}

}  // namespace pagoda::retrieval
