// Boolean expressions over item attributes, compiled once to a set of item rows.
//
//   expression = and { "or" and } ;  and = not { "and" not } ;  not = { "not" } primary
//   primary    = "(" expression ")" | field ( "=" | "==" | "!=" | "<" | "<=" | ">" | ">=" ) value
//              | field [ "not" ] "in" "(" value { "," value } ")" | field "is" [ "not" ] "null"
//              | field                                                              (a boolean column that is true)
//   value      = number | "text" | 'text' | true | false        field = letters, digits, _ or `quoted`
//
// Keywords are case-insensitive; text may contain \" \' \\. On a list column, `=` and `in` hold if any element matches.
//
// A null cell matches neither a comparison nor its opposite: `year != 1990`, `not year = 1990` and `year not in (1990)`
// are the same, and none holds where the year is null (three-valued logic, as in SQL). An item without attributes is
// null everywhere. `year is null` finds these; an empty text is null, too.
//
// Numbers compare exactly, quoted or not; in a column of floats, in the precision of its cells
// (predicate/column_tests.h). Times compare with ISO text: released >= "2024-01-01". A text column (every column of a
// CSV is one) compares as numbers, times or true/false if the value and all its cells are such; otherwise as text:
// orders compare bytes, and two spellings of one value are equal (value_key() in columns/decimal.h).
//
// `seen` (the user's own history) is not an attribute: it may occur only as the conjunct `not seen` of the whole
// expression. An attribute with that name, or with a keyword's, is written in backquotes.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "data/attributes.h"
#include "math/item_set.h"
#include "predicate/syntax.h"

namespace pagoda::filter {

struct Filter {
  math::ItemSet items;
  bool not_seen = false;  // the expression also requires that the user has not seen the item
};

// Evaluates the expression row by row, the reference for filter_index.h. `row_of` [attribute rows]: item rows;
// Interner::kNone for an item that is not in the catalogue. Error{usage}, with the position: a syntax error, an unknown
// field (names the nearest), an order between a text and a number.
Filter evaluate_filter_rowwise(std::string_view expression, const data::Attributes& attributes,
                               std::span<const uint32_t> row_of, size_t items);

// The column of a test. Error{usage}: there is none; names the nearest.
const columns::Column& filter_column(std::string_view expression, const predicate::FilterNode& node,
                                     const data::Attributes& attributes);

}  // namespace pagoda::filter
