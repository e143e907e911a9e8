// Opens a Parquet file so that one unreadable column does not affect the others. Includes Arrow and Parquet, so only
// .cpp files include it.
#pragma once

#include <parquet/arrow/reader.h>
#include <parquet/arrow/schema.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "formats/wide_column.h"

namespace pagoda::formats {

struct OpenedParquet {
  std::unique_ptr<parquet::arrow::FileReader> reader;
  std::vector<WideColumn> wide;  // 128-bit integers, which the reader takes for fixed-size binaries of 16 bytes
  bool types_lost = false;       // Arrow's own schema in the file could not be read: only Parquet's types were used
};

// `configure` sets further properties of the reader. Error{input} that names the file if it cannot be read.
OpenedParquet open_parquet(
    const std::string& path,
    const std::function<void(const parquet::FileMetaData&, parquet::ArrowReaderProperties&)>& configure);

void collect_leaves(const parquet::arrow::SchemaField& field, std::vector<int>& leaves);

}  // namespace pagoda::formats
