// Reads an Arrow IPC stream that lies in memory, as a message brings it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "columns/column.h"

namespace pagoda::formats {

// Its rows, as a batch for each of its record batches with these columns in their order; one that it lacks is null, and
// what else it has is not looked at. Every byte is checked before it is followed. Error{input}: it is no such stream,
// or is cut off within a record batch; a column is of a type that cannot be read, or is there twice.
std::vector<columns::RawBatch> read_arrow_message(std::string_view bytes, const std::vector<std::string>& columns);

}  // namespace pagoda::formats
