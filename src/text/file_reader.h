// Reads one file as batches of raw columns; formats::open_reader() chains these. Private to this room and formats.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "columns/column.h"
#include "columns/notices.h"
#include "columns/table_form.h"

namespace pagoda::text {

// What to read from a file: the columns in this order (empty: all), at most `batch_rows` rows at a time.
struct FileOptions {
  std::string path;
  std::vector<std::string> columns;
  size_t batch_rows = 65536;
  bool coded = false;                   // as in formats::ReaderOptions
  columns::Notices* notices = nullptr;  // receives what the reader changed, dropped or guessed; never null
  columns::TableForm form{};
  // For JSONL, whose lines differ. may_lack: a missing column is null and not an error. all_found: `columns` are all
  // that an earlier pass found, so that another key is worth a warning. lines_for_names: how many lines are searched
  // for keys.
  bool may_lack = false, all_found = false;
  uint64_t lines_for_names = 1000000;
};

class FileReader {
 public:
  virtual ~FileReader() = default;
  virtual const std::vector<std::string>& columns() const = 0;
  // Columns of the file that cannot be read; asking for one is an error.
  virtual std::vector<std::string> left_out() const { return {}; }
  virtual uint64_t rows() const { return 0; }  // of the whole file, if it says so; else 0
  // Fills `columns` (as many as columns(), cleared, named by the caller). Returns the number of rows, 0 at the end.
  virtual size_t next(std::vector<columns::Column>& columns) = 0;
};

// The positions of the wanted columns among those of a file. Error{input}: one is missing (with the nearest name), or
// occurs twice.
std::vector<size_t> select_columns(const std::string& path, const std::vector<std::string>& present,
                                   const std::vector<std::string>& wanted);

}  // namespace pagoda::text
