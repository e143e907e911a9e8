// Reads columns of a Parquet file directly, without an Arrow array in between: a log's numbers, and its texts as codes
// of a dictionary. Private to this room; includes Arrow and Parquet, so only .cpp files include it.
#pragma once

#include <arrow/type.h>
#include <parquet/file_reader.h>

#include <cstddef>
#include <memory>

#include "columns/column.h"
#include "columns/source_rows.h"

namespace pagoda::formats {

// One column of one file. Throws parquet::ParquetException if the file is damaged.
class FlatColumn {
 public:
  virtual ~FlatColumn() = default;
  virtual void start(parquet::RowGroupReader& group) = 0;
  // Reads the next `rows` rows of the group, which must have so many left. Overwrites `column` (except its name) with
  // the result of read_array() (arrow_columns.h); texts are words and codes if all texts of the group are dictionary
  // codes.
  virtual void read(size_t rows, columns::Column& column, const columns::SourceRows& source_rows) = 0;
};

// A reader of leaf number `leaf` of a file, which Arrow reads as `type`; null if it is nested, or of a type that Arrow
// has to read.
std::unique_ptr<FlatColumn> flat_column(const parquet::SchemaDescriptor& schema, int leaf, const arrow::DataType& type);

}  // namespace pagoda::formats
