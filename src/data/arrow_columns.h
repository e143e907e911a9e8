// Arrow arrays to columns and back. Private to this room; sees Arrow, so only .cpp files include it.
#pragma once

#include <arrow/api.h>

#include <string>
#include <vector>

#include "core/error.h"
#include "data/column.h"
#include "data/writer.h"

namespace pagoda {

// Whether read_array() knows the type: numbers, booleans, strings, timestamps, dates, dictionaries and lists of those.
bool is_readable(const arrow::DataType& type);

// Overwrites `column` (not its name). An unsigned value past int64 makes the column text; a null in a list is dropped.
void read_array(const arrow::Array& array, Column& column);

// The same of a dictionary of texts, as words and codes. The words of a dictionary seen before are kept.
class CodedTexts {
 public:
  static bool can_read(const arrow::DataType& type);
  void read(const arrow::Array& array, Column& column);  // like read_array()

 private:
  std::shared_ptr<arrow::ArrayData> dictionary_;
  std::shared_ptr<const Ragged<char>> words_;
};

std::shared_ptr<arrow::Schema> arrow_schema(const std::vector<ColumnSpec>& columns);
std::shared_ptr<arrow::RecordBatch> arrow_batch(const std::shared_ptr<arrow::Schema>& schema, const RawBatch& batch);

// The columns of a schema to read: the wanted ones, or (none wanted) all that is_readable(), with a warning for the
// others. Error{input}: a wanted one is missing or not readable.
std::vector<size_t> readable_columns(const std::string& path, const arrow::Schema& schema,
                                     const std::vector<std::string>& wanted);

// Error{input} naming the file when Arrow can not go on.
inline void check_status(const arrow::Status& status, const std::string& path) {
  if (!status.ok())
    fail(ErrorKind::input, "{}: can not be read ({}): is the file whole, and of this format?", path, status.message());
}
template <class T>
T value_of(arrow::Result<T> result, const std::string& path) {
  check_status(result.status(), path);
  return std::move(result).ValueUnsafe();
}

}  // namespace pagoda
