#include "columns/null_values.h"

#include <algorithm>
#include <charconv>

#include "columns/decimal.h"

namespace pagoda::columns {

NullValues::NullValues(const std::vector<std::string>& words) {
  for (const auto& word : words) {
    words_.emplace_back(trim(word));
    const auto key = value_key(word);
    if (!key) continue;
    words_.push_back(*key);
    int64_t us = 0;
    if (key->starts_with('@') && std::from_chars(key->data() + 1, key->data() + key->size(), us).ec == std::errc())
      words_.back() = format_time_us(us);
  }
  std::erase(words_, "");
  std::ranges::sort(words_);
  words_.erase(std::ranges::unique(words_).begin(), words_.end());
  for (const auto& word : words_) longest_ = std::max(longest_, word.size());
}

bool NullValues::holds(std::string_view text) const {
  text = trim(text);
  return text.size() <= longest_ && std::ranges::find(words_, text) != words_.end();
}

void NullValues::apply(Column& column) const {
  if (empty()) return;
  if (column.type == ColumnType::texts) return apply_to_lists(column);
  if ((column.type == ColumnType::text || column.type == ColumnType::decimal) && !column.words)
    return apply_to_texts(column);
  const size_t rows = column.rows();
  const auto drop = [&](size_t row) {
    if (column.valid.empty()) column.valid.assign(rows, 1);
    column.valid[row] = 0;
  };
  std::string scratch;
  if (column.words) {
    std::vector<uint8_t> missing(column.words->size());
    for (size_t code = 0; code < missing.size(); ++code) {
      const auto word = (*column.words)[code];
      missing[code] = holds({word.data(), word.size()});
    }
    if (std::ranges::count(missing, 1) == 0) return;
    for (size_t row = 0; row < rows; ++row)
      if (!column.is_null(row) && missing[column.codes[row]]) drop(row);
    return;
  }
  for (size_t row = 0; row < rows; ++row)
    if (!column.is_null(row) && holds(column.as_text(row, scratch))) drop(row);
}

// A null cell holds no text, so the column is rebuilt.
void NullValues::apply_to_texts(Column& column) const {
  const size_t rows = column.rows();
  size_t row = 0;
  while (row < rows && (column.is_null(row) || !holds(column.text_of(row)))) ++row;
  if (row == rows) return;
  Column kept;
  kept.name = column.name;
  kept.type = column.type;
  for (row = 0; row < rows; ++row) {
    if (column.is_null(row) || holds(column.text_of(row)))
      kept.push_null();
    else
      kept.push_text(column.text_of(row));
  }
  column = std::move(kept);
}

void NullValues::apply_to_lists(Column& column) const {
  Column kept;
  kept.name = column.name;
  kept.type = column.type;
  for (size_t row = 0; row < column.rows(); ++row) {
    if (column.is_null(row)) {
      kept.push_null();
      continue;
    }
    column.for_each_element(row, '\0', [&](std::string_view element) {
      if (!holds(element)) kept.push_element(element);
    });
    kept.end_list();
  }
  column = std::move(kept);
}

}  // namespace pagoda::columns
