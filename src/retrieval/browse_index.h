// What a person looks through on the page: items by name and popularity, users by name, and a map of the items.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "retrieval/item_map.h"
#include "retrieval/retrieval.h"

namespace pagoda::retrieval {

// A stretch of the items in order of popularity. Items that are equally popular lie in one stretch.
struct PopularityBucket {
  std::string_view name;     // "top 1%"
  uint64_t least_count = 0;  // rows of the training part on an item: from here up to the bucket before
  uint64_t items = 0, rows = 0;
};

// ChangeResult once for a bundle; immutable. Whatever the bundle's size, a look through it is bounded: names are searched among
// the 200,000 most popular items and the first million users, beside whole ids, which are always found.
class BrowseIndex {
 public:
  explicit BrowseIndex(std::shared_ptr<const model::Bundle> bundle);

  // Rows of items whose id begins with the text, or whose title has a word that does, letters from a to z of either case; the
  // item of that very id first, then the most popular. All items match "". `retrieval` is over the same bundle: what it has added is
  // found too, what it has deleted is not.
  std::vector<uint32_t> find_items(const Retrieval& retrieval, std::string_view text, size_t limit) const;
  // Rows of the first member's users whose id begins with the text, that very one first; for "" a few that have a history,
  // from all over the table.
  std::vector<uint32_t> find_users(std::string_view text, size_t limit) const;

  uint64_t count(uint32_t row) const;  // training rows on an item; 0 of an added one
  const std::vector<PopularityBucket>& popularity() const { return popularity_; }  // empty: nothing is known of it
  const ItemMap& map() const { return map_; }

 private:
  void rank();
  std::shared_ptr<const model::Bundle> bundle_;
  std::vector<uint32_t> popular_;  // rows, the most popular first
  std::vector<PopularityBucket> popularity_;
  ItemMap map_;
};

}  // namespace pagoda::retrieval
