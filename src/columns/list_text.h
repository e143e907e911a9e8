// Lists in one text cell, as programs print them: [6285, 194], ["a", "b"], ['a' 'b'], {a,b}.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "columns/column.h"

namespace pagoda::columns {

// The elements of such a list; nothing if the text is not a list. Bare words are allowed in square brackets with commas
// between them. All other elements are quoted or numbers, which may also be separated by blanks alone. None, null and
// NaN are left out.
std::optional<std::vector<std::string>> parse_list(std::string_view text);

// Whether the text is a list that was abbreviated when it was printed: [0 1 2 ... 97 98 99].
bool is_cut_list(std::string_view text);

// Like Column::for_each_element(), but a text that is a list gives its elements. Error{input}: an abbreviated list.
template <class F>
void for_each_listed(const Column& column, size_t row, char separator, F&& f);

// The text column as a column of lists, if every cell that is not absent is written as a list. `lists`: how many are.
std::optional<Column> read_lists(const Column& column, uint64_t& lists);

// Throws Error{input} that names the column and shows the cell.
[[noreturn]] void refuse_cut_list(const Column& column, std::string_view text);

template <class F>
void for_each_listed(const Column& column, size_t row, char separator, F&& f) {
  if (column.type == ColumnType::text && !column.is_null(row)) {
    const auto text = trim(column.text_of(row));
    if (text.starts_with('[') || text.starts_with('(') || text.starts_with('{')) {
      if (const auto elements = parse_list(text)) {
        for (const auto& element : *elements) f(std::string_view(element));
        return;
      }
      if (is_cut_list(text)) refuse_cut_list(column, text);
    }
  }
  column.for_each_element(row, separator, f);
}

}  // namespace pagoda::columns
