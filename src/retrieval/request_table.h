// User attributes from requests, as tables for an encoder.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "retrieval/retrieval.h"

namespace pagoda::retrieval {

// The indices of the non-empty rows, grouped by which columns have lists: a column of a table holds either lists or
// single values, and one request must not change how another one is read.
std::vector<std::vector<size_t>> rows_by_shape(const std::vector<std::string>& columns,
                                               std::span<const std::vector<RequestFeature>* const> rows);

// A table with rows[i] as the row of ids[i]. The ids are distinct, the rows are of one group; ignores names that are no
// column.
data::Attributes request_table(const std::vector<std::string>& columns, const std::vector<std::string>& ids,
                               std::span<const std::vector<RequestFeature>* const> rows);

}  // namespace pagoda::retrieval
