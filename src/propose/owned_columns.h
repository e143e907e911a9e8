// Columns of a log that belong to the item, or to the user: each item (user) always has the same value. They move from
// the log to a table of their own.
#pragma once

#include <string>
#include <vector>

#include "formats/reader.h"
#include "propose/survey.h"

namespace pagoda::propose {

enum class Owner { row, item, user };

// `coincidence`: the chance that two cells of the column hold the same value, whoever they belong to. A column belongs
// to the item, or else to the user, if there are far fewer changes than chance would make.
Owner owner_of(const Belonging& found, double coincidence);

// Writes a row for each id of the column `id`: its first value in each of `columns`. Error{failed}: it cannot be
// written. Holds the whole table in memory.
void write_owned_columns(const formats::ReaderOptions& log, const std::string& id,
                         const std::vector<std::string>& columns, const std::string& path);

}  // namespace pagoda::propose
