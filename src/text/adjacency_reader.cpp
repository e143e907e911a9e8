// Reads lines of `user item item ...`, separated by blanks or tabs: the format of the LightGCN splits. A user alone
// gives no row.
#include <algorithm>

#include "files/text_lines.h"
#include "text/text_file.h"
#include "text/text_row_file.h"

namespace pagoda::text {

namespace {

class AdjacencyRows {
 public:
  explicit AdjacencyRows(const FileOptions& options) : lines_(options.path, options.form.encoding) {}

  static std::vector<std::string> names() { return {"user_id", "item_id"}; }
  bool next(std::vector<std::string_view>& cells) {
    while (!take_word(cells[1])) {
      if (!lines_.next(rest_)) return false;
      ++lines_read_;
      while (rest_.ends_with('\r')) rest_.remove_suffix(1);
      if (rest_.find('\r') != rest_.npos)
        fail(ErrorKind::input, "{}: has a carriage return inside it: write one user per line, as with: tr '\\r' '\\n'",
             place());
      take_word(user_);
    }
    cells[0] = user_;
    return true;
  }
  std::string place() const { return lines_.place(); }
  bool empty() const { return lines_read_ == 0; }

 private:
  bool take_word(std::string_view& word) {
    constexpr std::string_view kBlank = " \t\r";
    rest_.remove_prefix(std::min(rest_.find_first_not_of(kBlank), rest_.size()));
    word = rest_.substr(0, rest_.find_first_of(kBlank));
    rest_.remove_prefix(word.size());
    return !word.empty();
  }

  files::TextLines lines_;
  std::string_view rest_, user_;  // of the line
  uint64_t lines_read_ = 0;
};

}  // namespace

std::unique_ptr<FileReader> open_adjacency_file(const FileOptions& options) {
  return std::make_unique<TextRowFile<AdjacencyRows>>(options);
}

std::string place_in_adjacency_file(const FileOptions& options, uint64_t record) {
  return place_in_rows<AdjacencyRows>(options, record);
}

}  // namespace pagoda::text
