// Boolean expressions over item attributes, compiled once to a set of item rows.
//
//   expression = or ;  or = and { "or" and } ;  and = not { "and" not } ;  not = [ "not" ] primary
//   primary    = "(" expression ")" | field ( "=" | "==" | "!=" | "<" | "<=" | ">" | ">=" ) value
//              | field [ "not" ] "in" "(" value { "," value } ")" | field            (a boolean column that is true)
//   value      = number | "text" | 'text' | true | false        field = letters, digits, _ or `quoted`
//
// On a list column `=` and `in` ask whether any element matches. A null cell matches nothing, and `!=` on it neither.
// Times compare with ISO text: released >= "2024-01-01". `seen` (the user's own history) is not an attribute: it stands
// only as the conjunct `not seen` and is reported by uses_seen().
#pragma once

#include <string>
#include <string_view>

#include "data/attributes.h"
#include "index/index.h"

namespace pagoda {

struct Filter {
  ItemSet items;
  bool not_seen = false;  // the expression also demands that the user has not seen the item
};

// `row_of[attribute row]` is the item row; kUnknownItem where the item is not in the catalogue. Error{usage}, with the
// position: a syntax error, an unknown field (with the nearest one), an order between a text and a number.
Filter compile_filter(std::string_view expression, const Attributes& attributes, std::span<const uint32_t> row_of,
                      size_t items);

}  // namespace pagoda
