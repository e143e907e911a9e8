// Converts Arrow arrays to columns. It includes Arrow, so only .cpp files include it.
#pragma once

#include <arrow/api.h>

#include <memory>
#include <string>

#include "columns/column.h"
#include "columns/source_rows.h"
#include "core/error.h"

namespace pagoda::formats {

// Overwrites `column` (except its name) with an array whose type is_readable() (arrow_types.h). Counts what is lost in
// a cell (NaN, a time out of range, a null in a list). Integers beyond int64 and fractions of decimals and durations
// make the column decimal; times of day and UUIDs make it text.
void read_array(const arrow::Array& array, columns::Column& column, const columns::SourceRows& source_rows);

// The same for 128-bit integers stored as 16 bytes, little-endian.
void read_wide_integers(const arrow::Array& array, bool is_signed, columns::Column& column);

// The same for a dictionary of texts, as words and codes. The words of a dictionary are kept from call to call.
class CodedTexts {
 public:
  static bool can_read(const arrow::DataType& type);
  void read(const arrow::Array& array, columns::Column& column,
            const columns::SourceRows& source_rows);  // like read_array()

 private:
  std::shared_ptr<arrow::ArrayData> dictionary_;
  std::shared_ptr<const math::Ragged<char>> words_;
};

// Throws Error{input} that names the file if Arrow reports an error.
inline void check_status(const arrow::Status& status, const std::string& path) {
  if (!status.ok())
    fail(ErrorKind::input, "{}: cannot be read ({}): is the file complete, and of this format?", path,
         status.message());
}
template <class T>
T value_of(arrow::Result<T> result, const std::string& path) {
  check_status(result.status(), path);
  return std::move(result).ValueUnsafe();
}

}  // namespace pagoda::formats
