// Blanks around ids, which a person does not see and a program takes for part of them.
#pragma once

#include <string>
#include <string_view>

#include "columns/interner.h"

namespace pagoda::columns {

// Without blanks, tabs and line ends around it, and what looks like none: a byte order mark, a no-break or zero-width space.
std::string_view without_blanks(std::string_view id);

// A warning where ids from number `first` on have blanks around them: they are kept as they stand, and may be meant to be
// the same as others. `where` names the file, `column` the ids, if they have one.
void say_blanks(const std::string& where, const std::string& column, const Interner& ids, uint32_t first = 0);

}  // namespace pagoda::columns
