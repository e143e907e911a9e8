// Writes batches of columns to a file: CSV, TSV, JSONL, Parquet or Arrow IPC; text formats plain, .gz or .zst.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "columns/column.h"
#include "formats/reader.h"

namespace pagoda::formats {

struct ColumnSpec {
  std::string name;
  columns::ColumnType type;
};

// Columns of a batch must match the specs in number and type. Memory is bounded by the batch. The complete file appears
// under its name at close(); without close() nothing appears. Lists are written to CSV joined by "|", numbers that are
// not finite to JSON as null. Error{failed} that names the path: disk full, no such folder.
class Writer {
 public:
  virtual ~Writer() = default;
  virtual void write(const columns::RawBatch& batch) = 0;
  virtual void close() = 0;
};

// Format::automatic: by the path's extension. "-" writes text formats to stdout.
std::unique_ptr<Writer> open_writer(const std::string& path, const std::vector<ColumnSpec>& columns,
                                    files::Format format = files::Format::automatic, bool header = true);

}  // namespace pagoda::formats
