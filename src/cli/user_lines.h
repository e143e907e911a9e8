// Files of users, one per line.
#pragma once

#include <string>

#include "columns/interner.h"
#include "files/line_file.h"
#include "retrieval/retrieval.h"

namespace pagoda::cli {

// "all" is every user of the model; FILE:COLUMN the ids in a column of a table, each once, in order of first
// occurrence; anything else a file of lines. A line is an id that the model knows, verbatim; otherwise a JSON object,
// if it begins with '{'; otherwise an id: a JSON text in double quotes, or the line without blanks at its ends. The
// constructor checks all lines. Error{input}, naming the line. The retrieval must outlive it.
class UserLines {
 public:
  UserLines(const std::string& path, const retrieval::Retrieval& retrieval);
  size_t size() const { return from_table_ ? ids_.size() : file_.lines.size(); }
  bool from_table() const { return from_table_; }
  const std::string& name() const { return file_.name; }  // "users.txt", "stdin"
  uint64_t checksum() const;                              // of all lines
  retrieval::RetrieveRequest request(size_t line) const { return read(line, nullptr); }

 private:
  retrieval::RetrieveRequest read(size_t line, columns::Notices* notices) const;
  const retrieval::Retrieval& retrieval_;
  files::LineFile file_;
  bool from_table_ = false;  // then the users are ids_
  columns::Interner ids_;
};

// The id in a line of an item file: verbatim if the catalogue has it, otherwise parsed like a user's id.
std::string item_of_line(const files::LineFile& file, const files::Line& line, const retrieval::Retrieval& retrieval,
                         columns::Notices& notices);

}  // namespace pagoda::cli
