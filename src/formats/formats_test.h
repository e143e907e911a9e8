// What tests of readers share: tables read back as text.
#pragma once

#include <string>
#include <vector>

#include "files/files_test.h"
#include "formats/reader.h"

namespace pagoda::formats {

using Rows = std::vector<std::vector<std::string>>;

// All cells as text, a null as "<null>".
inline Rows read_rows(const ReaderOptions& options) {
  const auto reader = open_reader(options);
  Rows rows;
  columns::RawBatch batch;
  std::string scratch;
  while (reader->next(batch))
    for (size_t row = 0; row < batch.rows; ++row) {
      rows.emplace_back();
      for (const auto& column : batch.columns)
        rows.back().emplace_back(column.is_null(row) ? "<null>" : column.as_text(row, scratch));
    }
  return rows;
}

inline Rows read_rows(const std::string& path, std::vector<std::string> columns = {}) {
  ReaderOptions options;
  options.paths = {path};
  options.columns = std::move(columns);
  return read_rows(options);
}

}  // namespace pagoda::formats
