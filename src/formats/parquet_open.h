// A Parquet file opened so that one odd column costs no other. It sees Arrow and Parquet, so only .cpp files include it.
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
  std::vector<WideColumn> wide;  // 128-bit integers, which the reader takes for 16 bytes of fixed width
  bool types_lost = false;       // Arrow's own schema in the file could not be read: Parquet's types alone were gone by
};

// `configure` sets what else the reader is to do. Error{input} naming the file when it can not be read.
OpenedParquet open_parquet(
    const std::string& path,
    const std::function<void(const parquet::FileMetaData&, parquet::ArrowReaderProperties&)>& configure);

void collect_leaves(const parquet::arrow::SchemaField& field, std::vector<int>& leaves);

}  // namespace pagoda::formats
