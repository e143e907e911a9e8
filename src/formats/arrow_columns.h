// Arrow arrays to columns. It sees Arrow, so only .cpp files include it.
#pragma once

#include <arrow/api.h>

#include <memory>
#include <string>

#include "columns/column.h"
#include "columns/origin.h"
#include "core/error.h"

namespace pagoda::formats {

// Overwrites `column` (not its name) with an array of a type that is_readable() of arrow_types.h. What is lost of a
// cell (NaN, a time out of reach, a null in a list) is counted. Integers beyond int64 and fractions of decimals and
// durations make the column decimal, times of day and UUIDs make it text.
void read_array(const arrow::Array& array, columns::Column& column, const columns::Origin& origin);

// The same of 16 bytes that are a 128-bit integer, the lowest first.
void read_wide_integers(const arrow::Array& array, bool is_signed, columns::Column& column);

// The same of a dictionary of texts, as words and codes. The words of a dictionary seen before are kept.
class CodedTexts {
 public:
  static bool can_read(const arrow::DataType& type);
  void read(const arrow::Array& array, columns::Column& column, const columns::Origin& origin);  // like read_array()

 private:
  std::shared_ptr<arrow::ArrayData> dictionary_;
  std::shared_ptr<const math::Ragged<char>> words_;
};

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

}  // namespace pagoda::formats
