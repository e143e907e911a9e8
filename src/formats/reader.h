// Reads files of any format as batches of raw columns.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "columns/column.h"
#include "columns/notices.h"
#include "columns/table_form.h"
#include "files/file_kind.h"

namespace pagoda::formats {

struct ReaderOptions {
  std::vector<std::string> paths;  // files, folders (all files below them) and globs, `**` allowed; in order of name
  files::Format format = files::Format::automatic;  // automatic: by each file's content, else by its name
  // The wanted columns, in this order; empty: all columns of all files. A column that one file lacks and another has is
  // null there, and notices() counts its rows. Folders named as in `dt=2024-05-01/` give a text column "dt".
  std::vector<std::string> columns{};
  std::vector<std::string> required{};  // columns that every file must have
  size_t batch_rows = 65536;
  bool coded = false;  // texts that a Parquet file holds as codes of a dictionary may come as Column::words and codes
  bool ahead = false;  // read and decode on a thread of its own, two batches ahead of the caller
  columns::TableForm form{};
};

// next() throws Error{input} that names file and line if the file cannot be read further: a truncated gz, a CSV row
// with too few fields. A wanted column that is missing is an Error{input} that suggests the nearest.
//
// Memory is bounded by the batch (Parquet: by a row group), never by the file. Not thread-safe; one thread reads.
class Reader {
 public:
  virtual ~Reader() = default;
  virtual const std::vector<std::string>& files() const = 0;
  virtual const std::vector<std::string>& columns() const = 0;  // names, in the order of the columns of a batch
  virtual files::Format format(size_t file) const = 0;          // in which it is read
  // False at the end. `batch` is overwritten, its memory reused.
  virtual bool next(columns::RawBatch& batch) = 0;
  // "clicks.csv:1842" (the physical line; newlines in quotes count) for text formats, "clicks.parquet: row 1841" for
  // the others. For messages only: it reads the file again up to there.
  virtual std::string place(size_t file, uint64_t record) const = 0;
  // What was changed, dropped or guessed so far; complete after next() has returned false.
  virtual const columns::Notices& notices() const = 0;
};

// Adjacency files (lines of `user item item ...`) give the columns "user_id" and "item_id", one row per pair, in the
// order of the file. Error{input}: no file matches, an empty file, no header.
std::unique_ptr<Reader> open_reader(const ReaderOptions& options);

}  // namespace pagoda::formats
