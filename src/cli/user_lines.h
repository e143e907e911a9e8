// Files of users to ask for, a user a line.
#pragma once

#include <string>

#include "files/line_file.h"
#include "retrieval/retrieval.h"

namespace pagoda::cli {

// A line is an id that the model knows, exactly as it stands; else a JSON object, when it begins with '{'; else an id: a JSON
// text in double quotes, or the line without the blanks around it. All lines are checked when the file is opened.
// Error{input} naming the line. The retrieval must outlive it.
class UserLines {
 public:
  UserLines(const std::string& path, const retrieval::Retrieval& retrieval);
  size_t size() const { return file_.lines.size(); }
  const std::string& name() const { return file_.name; }  // "users.txt", "stdin"
  retrieval::RetrieveRequest request(size_t line) const { return read(line, nullptr); }

 private:
  retrieval::RetrieveRequest read(size_t line, columns::Notices* notices) const;
  const retrieval::Retrieval& retrieval_;
  files::LineFile file_;
};

// The id that a line of an item file says: one of the catalogue, exactly as it stands; else as of a user.
std::string item_of_line(const files::LineFile& file, const files::Line& line, const retrieval::Retrieval& retrieval,
                         columns::Notices& notices);

}  // namespace pagoda::cli
