#include "columns/id_mapper.h"

#include <algorithm>
#include <utility>

namespace pagoda::columns {

namespace {

constexpr size_t kAhead = 16;  // the interner's memory is prefetched this many lookups ahead

bool is_valid(std::string_view id) { return !id.empty() && is_utf8(id); }

}  // namespace

void IdMapper::start(const Column& column) {
  column_ = &column;
  looked_up_ = false;
  if (column.type == ColumnType::integer && integer_slots_.empty()) integer_slots_.resize(1024);
  if (column.type == ColumnType::text && column.words && words_ != column.words) take_words();
}

bool IdMapper::all_valid() {
  if (!column_->valid.empty()) return false;
  if (column_->type != ColumnType::text) return column_->type == ColumnType::integer;
  return column_->words ? words_valid_ : valid_texts();
}

// A text that has a number was checked when it got it.
bool IdMapper::valid_texts() {
  look_up();
  return std::ranges::all_of(new_texts_, [&](size_t row) { return is_valid(column_->text_of(row)); });
}

void IdMapper::number(Interner& interner, std::vector<uint32_t>& numbers) {
  const size_t before = numbers.size(), n = column_->rows();
  if (column_->type == ColumnType::text && !column_->words) {
    numbers.insert(numbers.end(), numbers_.begin(), numbers_.end());
    for (const size_t row : new_texts_) numbers[before + row] = interner.add(column_->text_of(row));
    return;
  }
  numbers.resize(before + n);
  uint32_t* const out = numbers.data() + before;
  if (column_->words) {
    uint32_t* const known = code_numbers_.data();
    const uint32_t* const codes = column_->codes.data();
    for (size_t row = 0; row < n; ++row) {
      const uint32_t code = codes[row];
      uint32_t number = known[code];
      if (number == Interner::kNone) number = known[code] = interner.add(column_->text_of(row));
      out[row] = number;
    }
    return;
  }
  for (size_t row = 0; row < n; ++row) {
    const int64_t integer = column_->integers[row];
    out[row] = slot_of(integer).number;
    if (out[row] != Interner::kNone) continue;
    out[row] = interner.add(column_->as_text(row, scratch_));
    remember(integer, out[row]);
  }
}

void IdMapper::look_up() {
  if (looked_up_) return;
  looked_up_ = true;
  numbers_.assign(column_->rows(), Interner::kNone);
  if (column_->type == ColumnType::integer) return find_integers();
  if (column_->type != ColumnType::text) return;
  if (column_->words)
    find_codes();
  else
    find_texts();
}

// Most words of a later dictionary are known from the earlier ones.
void IdMapper::take_words() {
  words_ = column_->words;
  const size_t n = words_->size();
  const auto word = [&](size_t code) {
    const auto chars = (*words_)[code];
    return std::string_view(chars.data(), chars.size());
  };
  words_valid_ = true;
  hashes_.resize(n);
  code_numbers_.resize(n);
  for (size_t code = 0; code < n; ++code) {
    words_valid_ = words_valid_ && is_valid(word(code));
    hashes_[code] = Interner::hash_of(word(code));
  }
  for (size_t code = 0; code < n; ++code) {
    if (code + kAhead < n) interner_->prefetch(hashes_[code + kAhead]);
    code_numbers_[code] = interner_->find(word(code), hashes_[code]);
  }
}

void IdMapper::find_texts() {
  const size_t n = numbers_.size();
  const auto text = [&](size_t row) {
    const auto chars = column_->text[row];
    return std::string_view(chars.data(), chars.size());
  };
  hashes_.resize(n);
  new_texts_.clear();
  for (size_t row = 0; row < n; ++row) hashes_[row] = Interner::hash_of(text(row));
  for (size_t row = 0; row < n; ++row) {
    if (row + kAhead < n) interner_->prefetch(hashes_[row + kAhead]);
    numbers_[row] = interner_->find(text(row), hashes_[row]);
    if (numbers_[row] == Interner::kNone) new_texts_.push_back(row);
  }
}

void IdMapper::find_codes() {
  if (column_->valid.empty()) {
    for (size_t row = 0; row < numbers_.size(); ++row) numbers_[row] = code_numbers_[column_->codes[row]];
    return;
  }
  for (size_t row = 0; row < numbers_.size(); ++row)
    if (!column_->is_null(row)) numbers_[row] = code_numbers_[column_->codes[row]];
}

void IdMapper::find_integers() {
  for (size_t row = 0; row < numbers_.size(); ++row)
    if (!column_->is_null(row)) numbers_[row] = slot_of(column_->integers[row]).number;
}

uint32_t IdMapper::find_added(size_t row) {
  if (column_->is_null(row)) return interner_->find({});
  if (column_->type == ColumnType::text) {
    if (!column_->words) return interner_->find(column_->text_of(row), hashes_[row]);
    uint32_t& number = code_numbers_[column_->codes[row]];
    if (number == Interner::kNone) number = interner_->find(column_->text_of(row));
    return number;
  }
  if (column_->type != ColumnType::integer) return interner_->find(column_->as_text(row, scratch_));
  const int64_t integer = column_->integers[row];
  if (const uint32_t known = slot_of(integer).number; known != Interner::kNone) return known;
  const uint32_t number = interner_->find(column_->as_text(row, scratch_));
  if (number != Interner::kNone) remember(integer, number);
  return number;
}

IdMapper::IntegerSlot& IdMapper::slot_of(int64_t integer) {
  const size_t mask = integer_slots_.size() - 1;
  // Fibonacci hashing: the high bits of a product with 2^64 over the golden ratio are well mixed.
  for (size_t s = (static_cast<uint64_t>(integer) * 0x9E3779B97F4A7C15u) >> 32;; ++s) {
    IntegerSlot& known = integer_slots_[s & mask];
    if (known.number == Interner::kNone || known.integer == integer) return known;
  }
}

void IdMapper::remember(int64_t integer, uint32_t number) {
  if (2 * integers_ >= integer_slots_.size()) {
    const auto old = std::exchange(integer_slots_, std::vector<IntegerSlot>(integer_slots_.size() * 2));
    for (const IntegerSlot& known : old)
      if (known.number != Interner::kNone) slot_of(known.integer) = known;
  }
  slot_of(integer) = {integer, number};
  ++integers_;
}

}  // namespace pagoda::columns
