// Boolean expressions over item attributes, compiled once to a set of item rows.
//
//   expression = and { "or" and } ;  and = not { "and" not } ;  not = { "not" } primary
//   primary    = "(" expression ")" | field ( "=" | "==" | "!=" | "<" | "<=" | ">" | ">=" ) value
//              | field [ "not" ] "in" "(" value { "," value } ")" | field "is" [ "not" ] "null"
//              | field                                                              (a boolean column that is true)
//   value      = number | "text" | 'text' | true | false        field = letters, digits, _ or `quoted`
//
// Keywords in any case; \" \' \\ inside text. On a list column `=` and `in` ask whether any element matches.
//
// A null cell matches nothing, neither a comparison nor its opposite: `year != 1990`, `not year = 1990` and
// `year not in (1990)` are the same, and none holds where the year is null (three-valued logic, as in SQL). An item
// without attributes is null everywhere. `year is null` asks for these; an empty text is null, too.
//
// Numbers are compared exactly, quoted or not; with a column of floats, in the precision of its cells (column_tests.h).
// Times compare with ISO text: released >= "2024-01-01". A text column (of a CSV every column is one) is compared as
// numbers, times or true/false when the value is such a one and all its cells are; else as text: byte by byte in an
// order, while equal are two spellings of one value, too (value_key() in columns/decimal.h).
//
// `seen` (the user's own history) is not an attribute: it stands only as the conjunct `not seen` of the whole
// expression. An attribute of that name, or of a keyword's, is written in backquotes.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "data/attributes.h"
#include "math/item_set.h"

namespace pagoda::filter {

struct Filter {
  math::ItemSet items;
  bool not_seen = false;  // the expression also demands that the user has not seen the item
};

// Goes over all rows; filter_index.h does the same from bitmaps. `row_of[attribute row]` is the item row; Interner::kNone where the item is not in the catalogue. Error{usage}, with the
// position: a syntax error, an unknown field (with the nearest one), an order between a text and a number.
Filter evaluate_filter_rowwise(std::string_view expression, const data::Attributes& attributes,
                               std::span<const uint32_t> row_of, size_t items);

// The column that a test is of. Error{usage}: there is none, with the nearest.
struct FilterNode;
const columns::Column& filter_column(std::string_view expression, const FilterNode& node,
                                     const data::Attributes& attributes);

}  // namespace pagoda::filter
