// Writes lists of candidates to a file or stdout, as TSV, JSONL or Parquet.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "files/byte_sink.h"
#include "formats/reader.h"
#include "formats/writer.h"
#include "model/bundle.h"
#include "retrieval/retrieval.h"

namespace pagoda::cli {

// TSV: `user item rank score`, no header. JSONL: {"user": ..., "items": [...], "scores": [...]}. Parquet: the TSV's
// columns; ids that were integers in the model's data are int64, a missing user id is null.
struct ResultForm {
  std::string output;  // "-" for stdout; text to NAME.gz or NAME.zst is compressed
  std::string format;  // "": by the output's extension, jsonl for stdout
  std::string key;     // the first column's name: "user", or "item"
};

// Whether ids are written as integers. Found out once, however many files a run writes.
struct ResultIds {
  bool integer_keys = false, integer_items = false;
};
// `keys`: all that will be written. Error{usage}: a format that does not fit the output's name. Error{input}: a key or
// an item's id that would break a line of TSV; nothing is written then.
ResultIds result_ids(const ResultForm& form, const retrieval::Retrieval& retrieval,
                     const std::vector<std::string>& keys);

// Not thread-safe; write() may be called for one block of answers after another.
class ResultWriter {
 public:
  // ids: of result_ids() for this form. Error{usage}: as there.
  ResultWriter(const ResultForm& form, const retrieval::Retrieval& retrieval, const ResultIds& ids);
  void write(const std::vector<std::string>& keys, const index::SearchResult& found);
  void close();

 private:
  void write_table(const std::vector<std::string>& keys, const index::SearchResult& found);
  const retrieval::Retrieval& retrieval_;
  std::string key_;
  files::Format format_;
  ResultIds ids_;
  std::unique_ptr<formats::Writer> table_;  // parquet
  std::unique_ptr<files::ByteSink> lines_;  // the others
};

// Appends an id to a column of texts or integers; in one of integers, an id that is none is null.
void push_id(columns::Column& column, std::string_view id);

// Whether all ids, except empty ones, can be written as integers, for a model whose ids were integers; logs the first
// that cannot.
bool all_integers(const char* what, size_t n, const std::function<std::string_view(size_t)>& id);
bool all_integers(const char* what, const std::vector<std::string>& ids);

// Describes where the ids of a file of vectors come from: a column, a file, or row numbers.
std::string say_ids(const std::string& vectors, const std::string& column, const std::string& file);

// The name of an item for people: its title, or its id without one.
std::string title_of(const model::Bundle& bundle, uint32_t item);

}  // namespace pagoda::cli
