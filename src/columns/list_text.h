// Lists written into one cell of text, as programs print them: [6285, 194], ["a", "b"], ['a' 'b'], {a,b}.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "columns/column.h"

namespace pagoda::columns {

// The elements of such a list; nothing when the text is none. In square brackets bare words may stand between commas; all
// else is quoted or a number, and then blanks alone may stand between. None, null and NaN are left out.
std::optional<std::vector<std::string>> parse_list(std::string_view text);

// A list that was cut when it was printed: [0 1 2 ... 97 98 99].
bool is_cut_list(std::string_view text);

// The elements of a cell as for_each_element() gives them, but of a text that is a list its elements. Error{input}: a list
// that was cut.
template <class F>
void for_each_listed(const Column& column, size_t row, char separator, F&& f);

// A column of text as one of lists, when each of its cells that says something is written as one; `lists`: how many are.
std::optional<Column> read_lists(const Column& column, uint64_t& lists);

// Error{input} that names the column and shows the cell.
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
