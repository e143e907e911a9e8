// Patches schemas that the Arrow library refuses because of one column, so that the other columns can be read. Private
// to this room; includes Arrow.
#pragma once

#include <arrow/io/interfaces.h>
#include <arrow/type.h>
#include <arrow/util/key_value_metadata.h>

#include <memory>
#include <optional>
#include <vector>

#include "formats/wide_column.h"

namespace pagoda::formats {

// The element of `wide` that a field of a patched schema stands for; nothing if none.
std::optional<WideColumn> find_wide(const std::vector<WideColumn>& wide, const arrow::Field& field);

// The Arrow file (either format) with a schema in which 128-bit integers are fixed-size binaries of 16 bytes; `wide`
// receives those of the top level. Returns the same file if there are none, or if its schema cannot be followed.
std::shared_ptr<arrow::io::RandomAccessFile> patch_arrow_file(std::shared_ptr<arrow::io::RandomAccessFile> file,
                                                              std::vector<WideColumn>& wide);

// The same, in place, for the Arrow schema that a Parquet file may hold in its metadata.
void patch_stored_schema(arrow::KeyValueMetadata& metadata, std::vector<WideColumn>& wide);
// Removes that schema: then the Parquet types alone decide what the columns are. False if there is none.
bool drop_stored_schema(arrow::KeyValueMetadata& metadata);

}  // namespace pagoda::formats
