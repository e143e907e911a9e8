// What the first lines of a csv or tsv file say of its form. Private to this room.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "columns/table_form.h"

namespace pagoda::formats {

using TextRow = std::vector<std::string>;

struct DelimitedForm {
  std::string separator;
  size_t lines_before = 0;    // lines in front of the first row: "sep=;", and comments behind a '#'
  bool marked = false;        // the first row names the columns behind a '#'
  std::vector<TextRow> rows;  // the first of the file
};

// Of the text that a file begins with (`whole`: it is all of it). `usual`: the separator of its format. Error{usage}: a
// separator that can be none.
DelimitedForm find_form(std::string_view text, bool whole, std::string_view usual, const columns::TableForm& form);

// Whether the first row is one of values, not of names: a number, a time or a key stands in it where the rows below it
// hold such things too, or it comes again below. A usual name such as "user_id" settles that it is a header.
bool looks_like_data(const std::vector<TextRow>& rows);

// Names for the columns of rows without a header, as far as the values tell: "user_id", "item_id", "rating", "timestamp".
std::vector<std::string> propose_names(const std::vector<TextRow>& rows, const columns::TableForm& form);

std::string in_words(std::string_view separator);  // "','", "a tab"

}  // namespace pagoda::formats
