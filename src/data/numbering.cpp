#include "data/numbering.h"

#include <utility>

namespace pagoda {

void Numbering::start(const Column& column) {
  column_ = &column;
  if (column.type != ColumnType::text) return;
  if (column.words) {
    if (words_ != column.words) {
      words_ = column.words;
      of_code_.assign(words_->size(), Interner::kNone);
    }
    return;
  }
  hashes_.resize(column.text.size());
  for (size_t row = 0; row < hashes_.size(); ++row)
    hashes_[row] = Interner::hash_of({column.text[row].data(), column.text[row].size()});
}

uint32_t Numbering::find(size_t row) {
  if (!column_->is_null(row)) {
    if (column_->type == ColumnType::text) return column_->words ? find_code(row) : find_text(row);
    if (column_->type == ColumnType::integer) return find_integer(row);
  }
  return interner_->find(column_->as_text(row, scratch_));
}

uint32_t Numbering::find_text(size_t row) {
  constexpr size_t kAhead = 16;
  if (row + kAhead < hashes_.size()) interner_->prefetch(hashes_[row + kAhead]);
  return interner_->find(column_->text_of(row), hashes_[row]);
}

uint32_t Numbering::find_code(size_t row) {
  uint32_t& number = of_code_[column_->codes[row]];
  if (number == Interner::kNone) number = interner_->find(column_->text_of(row));
  return number;
}

uint32_t Numbering::find_integer(size_t row) {
  if (of_integer_.size() <= 2 * integers_) grow();
  const int64_t integer = column_->integers[row];
  Known& known = slot_of(integer);
  if (known.number == Interner::kNone) {
    const uint32_t number = interner_->find(column_->as_text(row, scratch_));
    if (number == Interner::kNone) return number;
    known = {integer, number};
    ++integers_;
  }
  return known.number;
}

Numbering::Known& Numbering::slot_of(int64_t integer) {
  const size_t mask = of_integer_.size() - 1;
  // Fibonacci hashing: the high bits of a product with 2^64 over the golden ratio are well mixed.
  for (size_t s = (static_cast<uint64_t>(integer) * 0x9E3779B97F4A7C15u) >> 32;; ++s) {
    Known& known = of_integer_[s & mask];
    if (known.number == Interner::kNone || known.integer == integer) return known;
  }
}

void Numbering::grow() {
  const auto old = std::exchange(of_integer_, {});
  of_integer_.resize(old.empty() ? 1024 : old.size() * 2);
  for (const Known& known : old)
    if (known.number != Interner::kNone) slot_of(known.integer) = known;
}

}  // namespace pagoda
