// Maps the cells of an id column to the numbers of an interner, batch after batch.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "columns/column.h"
#include "columns/interner.h"

namespace pagoda::columns {

// Finds the number of a cell's as_text() and avoids making that text where it can: a dictionary code is looked up once
// per dictionary, an integer once in all. Texts are hashed ahead, so that the interner's memory is prefetched. The
// interner may grow in between.
class IdMapper {
 public:
  explicit IdMapper(const Interner& interner) : interner_(&interner) {}

  void start(const Column& column);  // begins the next batch; `column` is borrowed until the next start()
  // Whether every cell can be numbered: none is null, and each is UTF-8 and not empty, or has a number already. Of
  // codes, every word of the dictionary must be so.
  bool all_valid();
  // For such a batch: appends the number of each cell and adds new ids to `interner`, which must be the constructor's.
  void number(Interner& interner, std::vector<uint32_t>& numbers);
  // For other batches: look_up(), and then find() row by row.
  void look_up();
  // The number of a cell; Interner::kNone if it has none yet. A null cell is "".
  uint32_t find(size_t row) {
    const uint32_t number = numbers_[row];
    return number != Interner::kNone ? number : find_added(row);
  }

 private:
  struct IntegerSlot {
    int64_t integer = 0;
    uint32_t number = Interner::kNone;  // kNone: the slot is free
  };

  void take_words();
  void find_texts();
  void find_codes();
  void find_integers();
  bool valid_texts();
  uint32_t find_added(size_t row);  // finds what was added since the batch began
  IntegerSlot& slot_of(int64_t integer);
  void remember(int64_t integer, uint32_t number);

  const Interner* interner_;
  const Column* column_ = nullptr;
  bool looked_up_ = false;                           // whether numbers_ is of this batch
  std::vector<uint32_t> numbers_;                    // of the batch's cells when it began; kNone: not known then
  std::vector<uint32_t> hashes_;                     // of the batch's texts
  std::vector<size_t> new_texts_;                    // the rows of texts that had no number when the batch began
  std::shared_ptr<const math::Ragged<char>> words_;  // the dictionary
  std::vector<uint32_t> code_numbers_;               // the number of each word; kNone until it is found
  bool words_valid_ = false;                         // whether all words are UTF-8 and none is empty
  std::vector<IntegerSlot> integer_slots_;  // open addressing, a power of two of slots, at most half of them taken
  size_t integers_ = 0;
  std::string scratch_;
};

}  // namespace pagoda::columns
