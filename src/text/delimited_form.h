// Detects the dialect of a csv or tsv file from its first lines. Private to this room.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "columns/table_form.h"

namespace pagoda::text {

using TextRow = std::vector<std::string>;

struct DelimitedForm {
  std::string separator;
  size_t lines_before = 0;    // lines before the first row: "sep=;", and comments that begin with '#'
  bool marked = false;        // the first row begins with '#' and names the columns
  std::vector<TextRow> rows;  // the first rows of the file
};

// The form of a file that begins with `text` (`whole`: the text is the whole file). `usual` is the separator of its
// format. Error{usage}: form.separator cannot separate cells.
DelimitedForm find_form(std::string_view text, bool whole, std::string_view usual, const columns::TableForm& form);

// Whether the first row holds values and not names: it has a number, a time or a key where the rows below have one,
// too, or it occurs again below. A conventional name such as "user_id" makes it a header.
bool looks_like_data(const std::vector<TextRow>& rows);

// Proposes names for the columns of rows without a header, as far as the values show them: "user_id", "item_id",
// "rating", "timestamp".
std::vector<std::string> propose_names(const std::vector<TextRow>& rows, const columns::TableForm& form);

std::string in_words(std::string_view separator);  // "','", "a tab"

}  // namespace pagoda::text
