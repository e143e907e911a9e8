// Batches of columns to a file: CSV, TSV, JSONL, Parquet or Arrow IPC, plain or .gz / .zst (text formats).
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

// Columns of a batch must match the specs in number and type. Streams: memory is bounded by the batch. The file
// appears under its name at close(), whole; without close() nothing appears. Lists go to CSV joined by "|"; a number
// that is not finite goes to JSON as null. Error{failed} naming the path: disk full, no such folder.
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
