// Columns of a Parquet file as they lie in it, with no Arrow array in between: a log's numbers, and its texts as codes of
// a dictionary. Private to this room; sees Arrow and Parquet, so only .cpp files include it.
#pragma once

#include <arrow/type.h>
#include <parquet/file_reader.h>

#include <cstddef>
#include <memory>

#include "columns/column.h"
#include "columns/origin.h"

namespace pagoda::formats {

// One column of one file. Throws parquet::ParquetException when the file is damaged.
class FlatColumn {
 public:
  virtual ~FlatColumn() = default;
  virtual void start(parquet::RowGroupReader& group) = 0;
  // The next `rows` rows of the group, which has as many left. Overwrites `column` (not its name), with what read_array()
  // of arrow_columns.h makes of them; texts come as words and codes where all of the group's are codes of a dictionary.
  virtual void read(size_t rows, columns::Column& column, const columns::Origin& origin) = 0;
};

// Leaf number `leaf` of a file, which Arrow reads as `type`; null where it is nested, or of a type that is left to Arrow.
std::unique_ptr<FlatColumn> flat_column(const parquet::SchemaDescriptor& schema, int leaf, const arrow::DataType& type);

}  // namespace pagoda::formats
