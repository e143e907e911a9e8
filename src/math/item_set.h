// A set of rows of the catalogue: the result of a filter, and what a search may return.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace pagoda::math {

// A set of item rows, one bit each. Sets are combined only with sets of the same catalogue (a check).
class ItemSet {
 public:
  ItemSet() = default;
  explicit ItemSet(size_t items, bool full = false);
  size_t items() const { return items_; }
  bool has(uint32_t row) const { return (words_[row >> 6] >> (row & 63)) & 1; }
  void add(uint32_t row) { words_[row >> 6] |= uint64_t{1} << (row & 63); }
  void remove(uint32_t row) { words_[row >> 6] &= ~(uint64_t{1} << (row & 63)); }
  size_t count() const;
  std::vector<uint32_t> rows() const;  // ascending
  ItemSet& operator&=(const ItemSet& other);
  ItemSet& operator|=(const ItemSet& other);
  void invert();
  ItemSet slice(size_t begin, size_t end) const;              // rows [begin, end), the first of them as row 0
  void append(const ItemSet& more);                           // its rows come after these
  std::span<const uint64_t> words() const { return words_; }  // bit row % 64 of word row / 64

 private:
  size_t items_ = 0;
  std::vector<uint64_t> words_;
};

}  // namespace pagoda::math
