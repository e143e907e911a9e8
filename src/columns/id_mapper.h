// The cells of a column as the numbers of an interner, batch after batch.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "columns/column.h"
#include "columns/interner.h"

namespace pagoda::columns {

// Finds what as_text() of a cell is numbered without making that text where it can: a code of a dictionary is looked up
// once for a dictionary, an integer once in all; texts are hashed ahead, so that the interner's memory is fetched before
// it is read. The interner may grow in between.
class IdMapper {
 public:
  explicit IdMapper(const Interner& interner) : interner_(&interner) {}

  void start(const Column& column);  // of the next batch; borrowed until the next start()

  // Whether every cell of the batch is known to be UTF-8, and no cell empty, without a look at each: of integers, and of
  // codes of a dictionary whose words are that, none of them null.
  bool all_good() const;
  // Of such a batch: appends the number of each cell, `interner` (which is the one of the constructor) growing.
  void number(Interner& interner, std::vector<uint32_t>& numbers);

  // Otherwise: look_up(), and then find() row by row.
  void look_up();
  // Interner::kNone when the cell has no number yet. A null cell is "".
  uint32_t find(size_t row) {
    const uint32_t number = numbers_[row];
    return number != Interner::kNone ? number : find_late(row);
  }

 private:
  struct Known {
    int64_t integer = 0;
    uint32_t number = Interner::kNone;  // kNone: the slot is free
  };

  void take_words();
  void find_texts();
  void find_codes();
  void find_integers();
  uint32_t find_late(size_t row);  // what was added since the batch began
  Known& slot_of(int64_t integer);
  void remember(int64_t integer, uint32_t number);

  const Interner* interner_;
  const Column* column_ = nullptr;
  std::vector<uint32_t> numbers_;                    // of the batch's cells as it began; kNone where that is unknown
  std::vector<uint32_t> hashes_;                     // of the batch's texts
  std::shared_ptr<const math::Ragged<char>> words_;  // the dictionary,
  std::vector<uint32_t> of_code_;                    // the number of each of its words, kNone until it was found,
  bool good_words_ = false;                          // and whether all of them are UTF-8 and none is empty
  std::vector<Known> of_integer_;  // open addressing, a power of two of slots, at most half of them taken
  size_t integers_ = 0;
  std::string scratch_;
};

}  // namespace pagoda::columns
