#include <algorithm>

#include "core/error.h"
#include "text/delimited_rows.h"
#include "text/text_file.h"

namespace pagoda::text {

namespace {

class DelimitedFile : public FileReader {
 public:
  DelimitedFile(const FileOptions& options, std::string_view separator)
      : batch_rows_(options.batch_rows), keys_(options.form.keys), rows_(options, separator) {
    columns_ = options.columns.empty() ? rows_.names() : options.columns;
    for (const auto& name : columns_)
      if (!keys_.empty() && std::ranges::count(rows_.names(), name) > 1)
        fail(ErrorKind::input,
             "{}: two columns are named '{}'; rename one, or set {}header = true and {}columns to names for all that "
             "differ",
             options.path, name, keys_, keys_);
    chosen_ = select_columns(options.path, rows_.names(), columns_);
  }

  const std::vector<std::string>& columns() const override { return columns_; }

  size_t next(std::vector<columns::Column>& columns) override {
    for (auto& column : columns) column.type = columns::ColumnType::text;
    size_t n = 0;
    for (; n < batch_rows_ && rows_.next(cells_); ++n) {
      if (cells_.size() != rows_.names().size()) refuse_width();
      for (size_t c = 0; c < chosen_.size(); ++c) columns[c].push_text(cells_[chosen_[c]]);
    }
    return n;
  }

 private:
  [[noreturn]] void refuse_width() const {
    const size_t width = rows_.names().size();
    const auto hint =
        cells_.size() == width + 1 && cells_.back().empty() && !keys_.empty()
            ? fmt::format(
                  "the last is empty: if each line ends with a separator, set {}header = true and {}columns to "
                  "one more name",
                  keys_, keys_)
            : "is a separator or a quote missing?";
    fail(ErrorKind::input, "{}: {} value(s), but the header names {} column(s): {}", rows_.place(), cells_.size(),
         width, hint);
  }

  size_t batch_rows_;
  std::string keys_;
  DelimitedRows rows_;
  std::vector<std::string> columns_;
  std::vector<size_t> chosen_;
  std::vector<std::string_view> cells_;
};

}  // namespace

std::unique_ptr<FileReader> open_delimited_file(const FileOptions& options, char separator) {
  return std::make_unique<DelimitedFile>(options, std::string_view(&separator, 1));
}

std::string place_in_delimited_file(const FileOptions& options, char separator, uint64_t record) {
  columns::Notices said;  // when the file was read
  FileOptions again = options;
  again.notices = &said;
  DelimitedRows rows(again, std::string_view(&separator, 1));
  std::vector<std::string_view> cells;
  for (uint64_t r = 0; r <= record && rows.next(cells); ++r) {}
  return rows.place();
}

}  // namespace pagoda::text
