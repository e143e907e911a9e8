#include "formats/parquet_open.h"

#include <arrow/io/file.h>
#include <parquet/arrow/schema.h>
#include <parquet/exception.h>
#include <parquet/file_reader.h>

#include "formats/arrow_columns.h"
#include "formats/arrow_schema.h"

namespace pagoda::formats {

OpenedParquet open_parquet(
    const std::string& path,
    const std::function<void(const parquet::FileMetaData&, parquet::ArrowReaderProperties&)>& configure) {
  OpenedParquet opened;
  // `change` may change the file's metadata, which the reader follows.
  const auto build = [&](const std::function<void(arrow::KeyValueMetadata&)>& change) -> arrow::Status {
    ARROW_ASSIGN_OR_RAISE(auto file, arrow::io::ReadableFile::Open(path));
    parquet::arrow::FileReaderBuilder builder;
    ARROW_RETURN_NOT_OK(builder.Open(std::move(file)));
    const auto metadata = builder.raw_reader()->metadata();
    if (const auto& stored = metadata->key_value_metadata())
      change(const_cast<arrow::KeyValueMetadata&>(*stored));  // owned by this reader alone, which was just made
    parquet::ArrowReaderProperties properties;
    properties.set_pre_buffer(false);
    properties.set_arrow_extensions_enabled(true);
    configure(*metadata, properties);
    builder.properties(properties);
    return builder.Build(&opened.reader);
  };
  try {
    auto built = build([&](auto& metadata) { patch_stored_schema(metadata, opened.wide); });
    if (!built.ok()) {  // perhaps written by a later Arrow
      const auto again = build([&](auto& metadata) { opened.types_lost = drop_stored_schema(metadata); });
      if (again.ok() && opened.types_lost) {
        opened.wide.clear();
        built = again;
      }
    }
    check_status(built, path);
  } catch (const parquet::ParquetException& error) {
    check_status(arrow::Status::IOError(error.what()), path);
  }
  return opened;
}

void collect_leaves(const parquet::arrow::SchemaField& field, std::vector<int>& leaves) {
  if (field.is_leaf()) leaves.push_back(field.column_index);
  for (const auto& child : field.children) collect_leaves(child, leaves);
}

}  // namespace pagoda::formats
