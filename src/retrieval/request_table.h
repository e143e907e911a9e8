// What requests bring of users, as tables that an encoder reads.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "retrieval/retrieval.h"

namespace pagoda::retrieval {

// The indices of the rows that bring something, in groups that bring lists for the same of the columns: a column of a table holds
// lists or single values, and what one request brings must not change how another one's is read.
std::vector<std::vector<size_t>> rows_by_shape(const std::vector<std::string>& columns,
                                               std::span<const std::vector<RequestFeature>* const> rows);

// Row i is of ids[i], which differ, and holds rows[i], all of one group; a name that is no column is passed over.
data::Attributes request_table(const std::vector<std::string>& columns, const std::vector<std::string>& ids,
                               std::span<const std::vector<RequestFeature>* const> rows);

}  // namespace pagoda::retrieval
