// Writers of Parquet and Arrow IPC files. Private to this room; open_writer() makes them.
#pragma once

#include "formats/writer.h"

namespace pagoda::formats {

std::unique_ptr<Writer> open_parquet_writer(const std::string& path, const std::vector<ColumnSpec>& columns);
std::unique_ptr<Writer> open_arrow_writer(const std::string& path, const std::vector<ColumnSpec>& columns);

// Checks that a batch fits the specs in number, type and length of its columns.
void check_batch(const std::vector<ColumnSpec>& columns, const columns::RawBatch& batch);

}  // namespace pagoda::formats
