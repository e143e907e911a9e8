// Readers of Parquet and Arrow files and of tables in memory. Private to this room.
#pragma once

#include <memory>

#include "text/file_reader.h"

namespace pagoda::formats {

std::unique_ptr<text::FileReader> open_parquet_file(const text::FileOptions& options);
std::unique_ptr<text::FileReader> open_arrow_file(const text::FileOptions& options);
std::unique_ptr<text::FileReader> open_memory_table(const text::FileOptions& options);

}  // namespace pagoda::formats
