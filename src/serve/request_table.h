// What requests bring of users or items, as a table that an encoder reads.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "serve/retrieval.h"

namespace pagoda {

// Row i is of ids[i], which differ, and holds rows[i]; a name that is no column is passed over. A column is one of lists
// where any of the rows brings a list.
Attributes request_table(const std::vector<std::string>& columns, const std::vector<std::string>& ids,
                         std::span<const std::vector<RequestFeature>* const> rows);

}  // namespace pagoda
