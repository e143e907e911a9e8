// Checks of a column whose cells are ids.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "columns/column.h"
#include "columns/notices.h"

namespace pagoda::columns {

// Counts the cells of a column of reals that are so large that two neighbouring ids may have been rounded to the same
// number before the file was written: from 2^53 on, for float32 from 2^24, for float16 from 2^11. place(row) names one.
void count_rounded_ids(const Column& column, Notices& notices, const std::function<std::string(size_t)>& place);

}  // namespace pagoda::columns
