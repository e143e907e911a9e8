// What the page lets people browse: items by name and popularity, users by name, and a map of the items.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "retrieval/item_map.h"
#include "retrieval/retrieval.h"

namespace pagoda::retrieval {

// A range of the items by popularity. Equally popular items are in the same bucket.
struct PopularityBucket {
  std::string_view name;     // "top 1%"
  uint64_t least_count = 0;  // training rows of an item: from this count up to that of the bucket before
  uint64_t items = 0, rows = 0;
};

// Made once for a bundle; immutable. The work of a search is bounded for any bundle: it looks at the 200,000 most
// popular items and the first million users, and always finds a complete id.
class BrowseIndex {
 public:
  explicit BrowseIndex(std::shared_ptr<const model::Bundle> bundle);

  // Rows of items whose id, or a word of whose title, begins with the text; a to z match in either case. The item with
  // exactly that id comes first, then the most popular. All items match "". `retrieval` answers from the same bundle;
  // items that it added are found, items that it deleted are not.
  std::vector<uint32_t> find_items(const Retrieval& retrieval, std::string_view text, size_t limit) const;
  // Rows of the first member's users whose id begins with the text, an exact match first; for "" a few users with a
  // history, spread over the table.
  std::vector<uint32_t> find_users(std::string_view text, size_t limit) const;

  uint64_t count(uint32_t row) const;  // training rows of an item; 0 for an added one
  const std::vector<PopularityBucket>& popularity() const { return popularity_; }  // empty: not known
  const ItemMap& map() const { return map_; }

 private:
  void rank();
  std::shared_ptr<const model::Bundle> bundle_;
  std::vector<uint32_t> popular_;  // rows, the most popular first
  std::vector<PopularityBucket> popularity_;
  ItemMap map_;
};

}  // namespace pagoda::retrieval
