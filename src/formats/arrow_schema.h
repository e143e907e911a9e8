// Schemas that the Arrow library refuses because of one column, mended so that the others can be read. Private to this
// room; sees Arrow.
#pragma once

#include <arrow/io/interfaces.h>
#include <arrow/type.h>
#include <arrow/util/key_value_metadata.h>

#include <memory>
#include <optional>
#include <vector>

#include "formats/wide_column.h"

namespace pagoda::formats {

// Which of them a field of a mended schema is.
std::optional<WideColumn> find_wide(const std::vector<WideColumn>& wide, const arrow::Field& field);

// An Arrow file (either format) in whose schema 128-bit integers are 16 bytes of fixed width; `wide` gets those of the
// top level. The same file when there are none, or when its schema can not be followed.
std::shared_ptr<arrow::io::RandomAccessFile> mend_arrow_file(std::shared_ptr<arrow::io::RandomAccessFile> file,
                                                             std::vector<WideColumn>& wide);

// The same of the Arrow schema that a Parquet file may hold in its metadata, in place.
void mend_stored_schema(arrow::KeyValueMetadata& metadata, std::vector<WideColumn>& wide);
// Takes that schema away: then the Parquet types alone say what the columns are. False when there is none.
bool drop_stored_schema(arrow::KeyValueMetadata& metadata);

}  // namespace pagoda::formats
