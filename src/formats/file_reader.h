// One file as batches of raw columns; open_reader() strings these together. Private to this room.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "columns/column.h"
#include "columns/notices.h"
#include "columns/table_form.h"

namespace pagoda::formats {

// What to read of a file: the columns in this order (empty: all), at most so many rows at a time.
struct FileOptions {
  std::string path;
  std::vector<std::string> columns;
  size_t batch_rows = 65536;
  bool coded = false;                   // as in ReaderOptions
  columns::Notices* notices = nullptr;  // where the file says what it changed, dropped or guessed; never null
  columns::TableForm form{};
  // Of JSONL, whose lines differ: a wanted column that is not there is null, and not an error; the wanted ones are all
  // that were found before, so that another is worth a word; so many lines are looked through for the names of columns.
  bool may_lack = false, all_found = false;
  uint64_t lines_for_names = 1000000;
};

class FileReader {
 public:
  virtual ~FileReader() = default;
  virtual const std::vector<std::string>& columns() const = 0;
  // Columns that it has and that can not be read: an error when they are asked for.
  virtual std::vector<std::string> left_out() const { return {}; }
  virtual uint64_t rows() const { return 0; }  // of the whole file, where it says so
  // Fills `columns` (as many as columns(), cleared, named by the caller); gives the number of rows, 0 at the end.
  virtual size_t next(std::vector<columns::Column>& columns) = 0;
};

std::unique_ptr<FileReader> open_delimited_file(const FileOptions& options, char separator);
std::unique_ptr<FileReader> open_jsonl_file(const FileOptions& options);
std::unique_ptr<FileReader> open_adjacency_file(const FileOptions& options);
std::unique_ptr<FileReader> open_parquet_file(const FileOptions& options);
std::unique_ptr<FileReader> open_arrow_file(const FileOptions& options);

// "clicks.csv:1842" for a record's number, from 0; the file is read again up to there.
std::string place_in_delimited_file(const FileOptions& options, char separator, uint64_t record);
std::string place_in_jsonl_file(const std::string& path, uint64_t record);
std::string place_in_adjacency_file(const std::string& path, uint64_t record);

// Where the wanted columns lie among a file's. Error{input} with the nearest name when one is missing, or there twice.
std::vector<size_t> select_columns(const std::string& path, const std::vector<std::string>& present,
                                   const std::vector<std::string>& wanted);

}  // namespace pagoda::formats
