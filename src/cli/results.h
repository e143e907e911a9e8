// Lists of candidates to a file or stdout, as TSV, JSONL or Parquet.
#pragma once

#include <string>
#include <vector>

#include "data/reader.h"
#include "data/writer.h"
#include "model/bundle.h"
#include "serve/retrieval.h"

namespace pagoda {

// TSV: `user item rank score`, no header. JSONL: {"user": ..., "items": [...], "scores": [...]}. Parquet: the TSV's
// columns. Blocks of answers may be written one after another. `key` is the first column's name: "user", or "item".
class ResultWriter {
 public:
  ResultWriter(const std::string& output, const std::string& format, std::string key);
  void write(const Retrieval& retrieval, const std::vector<std::string>& keys, const SearchResult& found);
  void close();

 private:
  std::string key_;
  Format format_;
  std::unique_ptr<Writer> table_;     // parquet
  std::unique_ptr<AtomicFile> file_;  // text to a file; stdout without
};

// Lines of a file, or of stdin for "-"; blank lines are left out.
struct Line {
  std::string text;
  size_t number;  // in the file, from 1
};
std::vector<Line> read_lines(const std::string& path);
std::string name_of_lines(const std::string& path);               // "users.txt", "stdin"
std::string place_of(const std::string& path, const Line& line);  // "users.txt:12", "stdin:12"

// What the ids of a file of vectors are, as it is guessed from names: of a column, of a file, or row numbers. The words
// for it come back.
std::string say_ids(const std::string& vectors, const std::string& column, const std::string& file);

// What names an item for a person: its title, or where there is none its id.
std::string title_of(const Bundle& bundle, uint32_t item);

}  // namespace pagoda
