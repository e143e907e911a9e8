// Reads the files of the Netflix Prize: a line `1:` names an item, and lines `1488844,3,2005-09-06` below it are users
// with their rating and its date, or users alone.
#include <algorithm>

#include "files/text_lines.h"
#include "text/text_file.h"
#include "text/text_row_file.h"

namespace pagoda::text {

namespace {

class NetflixRows {
 public:
  explicit NetflixRows(const FileOptions& options) : lines_(options.path, options.form.encoding) {}

  static std::vector<std::string> names() { return {"user_id", "item_id", "rating", "date"}; }
  bool next(std::vector<std::string_view>& cells) {
    std::string_view line;
    while (lines_.next(line)) {
      line = columns::trim(line);
      if (line.empty()) continue;
      if (line.ends_with(':')) {
        item_ = line.substr(0, line.size() - 1);
        continue;
      }
      if (item_.empty())
        fail(ErrorKind::input, "{}: a rating stands before the first line that names its item, such as '1:'", place());
      any_ = true;
      cut(line, cells);
      return true;
    }
    return false;
  }
  std::string place() const { return lines_.place(); }
  bool empty() const { return !any_; }

 private:
  void cut(std::string_view line, std::vector<std::string_view>& cells) const {
    cells[1] = item_;
    for (const size_t column : {0, 2, 3}) {
      const size_t end = std::min(line.find(','), line.size());
      cells[column] = line.substr(0, end);
      line.remove_prefix(std::min(end + 1, line.size()));
    }
    if (!line.empty())
      fail(ErrorKind::input, "{}: has more than a user, a rating and a date: is it a file of the Netflix Prize?",
           place());
  }

  files::TextLines lines_;
  std::string item_;
  bool any_ = false;
};

}  // namespace

std::unique_ptr<FileReader> open_netflix_file(const FileOptions& options) {
  return std::make_unique<TextRowFile<NetflixRows>>(options);
}

std::string place_in_netflix_file(const FileOptions& options, uint64_t record) {
  return place_in_rows<NetflixRows>(options, record);
}

}  // namespace pagoda::text
