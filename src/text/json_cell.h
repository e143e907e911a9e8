// Gives a cell a value of JSON, as a line of JSON would.
#pragma once

#include <nlohmann/json.hpp>

#include "text/row.h"

namespace pagoda::text {

// Sets an empty cell. An object is the text of its JSON; a list its elements as texts, without its nulls. NaN is null.
// Error{input}: a text inside of an object or a list is not UTF-8, so that there is no JSON of it.
void set_cell(Cell& cell, const nlohmann::ordered_json& value);

}  // namespace pagoda::text
