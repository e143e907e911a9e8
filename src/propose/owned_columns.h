// Columns of a log that belong to the item, or to the user: always the same for each. They leave the log for a table of
// their own.
#pragma once

#include <string>
#include <vector>

#include "formats/reader.h"
#include "propose/survey.h"

namespace pagoda::propose {

enum class Owner { row, item, user };

// `coincidence`: the chance that two cells of the column hold the same value, whoever they belong to. A column belongs
// to the item, or else to the user, where chance would have made many more changes than there are.
Owner owner_of(const Belonging& found, double coincidence);

// A row for each id of the column `id`: the first value that it has in each of `columns`. Error{failed}: it cannot be
// written. All of the table is in memory.
void write_owned_columns(const formats::ReaderOptions& log, const std::string& id,
                         const std::vector<std::string>& columns, const std::string& path);

}  // namespace pagoda::propose
