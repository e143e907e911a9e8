// What is said of a column because its cells are ids.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "columns/column.h"
#include "columns/notices.h"

namespace pagoda::columns {

// Counts the cells of a column of reals that are so large that the next smaller or larger id may have become the same
// number before the file was written: from 2^53 on, of float32 from 2^24, of float16 from 2^11. place(row) names one.
void count_rounded_ids(const Column& column, Notices& notices, const std::function<std::string(size_t)>& place);

}  // namespace pagoda::columns
