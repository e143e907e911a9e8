// Whitespace around ids. A person does not see it, and a program takes it for part of the id.
#pragma once

#include <string>
#include <string_view>

#include "columns/interner.h"

namespace pagoda::columns {

// The id without surrounding blanks, tabs and line ends, and without what looks like a blank or like nothing: a byte
// order mark, a no-break or zero-width space.
std::string_view trim_id(std::string_view id);

// Warns if ids from number `first` on have whitespace around them. They are kept as they are, but may be meant to be
// the same as others. `where` names the file; `column` names the column of the ids, if there is one.
void warn_of_whitespace(const std::string& where, const std::string& column, const Interner& ids, uint32_t first = 0);

}  // namespace pagoda::columns
