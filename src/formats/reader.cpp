#include "formats/reader.h"

#include <algorithm>
#include <filesystem>
#include <optional>
#include <thread>

#include "columns/null_values.h"
#include "core/bounded_queue.h"
#include "core/error.h"
#include "core/log.h"
#include "core/suggest.h"
#include "files/file_kind.h"
#include "files/source_files.h"
#include "formats/binary_files.h"
#include "text/text_file.h"

namespace pagoda::formats {

namespace {

// One of the files, and what is known about it.
struct Source {
  files::SourceFile file;
  files::Format format = files::Format::automatic;
  std::vector<std::string> present;  // its columns, if several files are read together
};

bool contains(const std::vector<std::string>& names, const std::string& name) {
  return std::ranges::find(names, name) != names.end();
}

// Numbers of any type are one kind, since their canonical texts agree; "" for cells without types, as in CSV.
std::string_view kind_of(columns::ColumnType type) {
  switch (type) {
    case columns::ColumnType::integer:
    case columns::ColumnType::real:
    case columns::ColumnType::decimal: return "numbers";
    case columns::ColumnType::boolean: return "booleans";
    case columns::ColumnType::time: return "times";
    case columns::ColumnType::texts: return "lists";
    default: return "text";
  }
}

class MultiFileReader : public Reader {
 public:
  explicit MultiFileReader(const ReaderOptions& options)
      : batch_rows_(std::max<size_t>(1, options.batch_rows)), coded_(options.coded), form_(options.form),
        null_values_(options.form.null_values) {
    find_sources(options);
    for (const auto& source : sources_) paths_.push_back(source.file.path);
    columns_ = options.columns;
    // For one file, the format's own reader reports what is wrong; several files must be united.
    united_ = sources_.size() > 1 || !sources_[0].file.keys.empty();
    if (united_) unite(options);
    open_file();
    if (!united_) {
      columns_ = file_->columns();
      text::select_columns(paths_[0], columns_, options.required);
    }
    kinds_.resize(columns_.size());
  }

  const std::vector<std::string>& files() const override { return paths_; }
  const std::vector<std::string>& columns() const override { return columns_; }
  files::Format format(size_t file) const override { return sources_.at(file).format; }
  const columns::Notices& notices() const override { return notices_; }

  bool next(columns::RawBatch& batch) override {
    batch.columns.resize(columns_.size());
    for (; at_ < paths_.size(); ++at_, first_record_ = 0, file_.reset()) {
      if (!file_) open_file();
      for (size_t c = 0; c < columns_.size(); ++c) {
        batch.columns[c].clear();
        batch.columns[c].name = columns_[c];
      }
      batch.rows = united_ ? next_of_united(batch.columns) : file_->next(batch.columns);
      if (batch.rows == 0) continue;
      for (auto& column : batch.columns) null_values_.apply(column);
      batch.file = at_;
      batch.file_rows = file_->rows();
      batch.first_record = first_record_;
      first_record_ += batch.rows;
      return true;
    }
    batch.rows = 0;
    return false;
  }

  std::string place(size_t file, uint64_t record) const override {
    const auto& path = paths_.at(file);
    const text::FileOptions options{path, {}, batch_rows_, false, nullptr, form_};
    const auto format = sources_[file].format;
    if (!text::is_text(format)) return fmt::format("{}: row {}", path, record + 1);
    return text::place_in_text_file(format, options, record);
  }

 private:
  static constexpr size_t kNone = SIZE_MAX;

  void find_sources(const ReaderOptions& options) {
    auto files = files::find_files(options.paths);
    size_t empty = 0;
    std::string first_empty;
    for (auto& file : files) {
      if (files::is_memory_table(file.path)) {
        sources_.push_back({std::move(file), files::Format::arrow, {}});
        continue;
      }
      const auto head = files::read_head(file.path, form_.encoding);
      if (!head.regular && files.size() > 1)
        fail(ErrorKind::input, "{}: is a pipe, which is read alone; write it to a file to read it with others",
             file.path);
      // A program that writes a folder in parts may leave empty files.
      if (head.regular && head.whole && columns::trim(head.bytes).empty() && files.size() > 1) {
        if (empty++ == 0) first_empty = file.path;
        continue;
      }
      const auto format = files::find_format(file.path, head, options.format);
      sources_.push_back({std::move(file), format, {}});
    }
    if (sources_.empty()) fail(ErrorKind::input, "{}: the file is empty, as are the {} others", first_empty, empty - 1);
    if (empty > 0)
      log_once(LogLevel::warning,
               fmt::format("{} of {} files are empty, such as {}; they are skipped", empty, files.size(), first_empty));
    const Source* first = nullptr;
    for (const auto& source : sources_) {
      if (!source.file.of_folder) continue;
      if (first && first->format != source.format)
        fail(ErrorKind::input,
             "a folder holds files of several formats, such as '{}' and '{}'; name those that are meant, as in "
             "'{}/**/*{}'",
             first->file.path, source.file.path, options.paths[0],
             std::filesystem::path(first->file.path).extension().string());
      first = &source;
    }
  }

  // Settings for text files must not be believed to act on other files.
  void check_form(const Source& source) const {
    using files::Format;
    if (!text::is_text(source.format) && form_.encoding != "auto")
      fail(ErrorKind::usage, "{}: {}encoding is for text files, and this is another; leave it out", source.file.path,
           form_.keys);
    if (source.format == Format::csv || source.format == Format::tsv) return;
    const char* key = form_.separator != "auto"                    ? "separator"
                      : form_.quoting != columns::Quoting::doubled ? "quoting"
                      : form_.comment != "auto"                    ? "comment"
                      : form_.header != columns::Header::automatic ? "header"
                      : !form_.columns.empty()                     ? "columns"
                                                                   : nullptr;
    if (key)
      fail(ErrorKind::usage, "{}: {}{} is for csv and tsv files, and this is another; leave it out, or set the format",
           source.file.path, form_.keys, key);
  }

  // Unites the columns of all files, and checks that no file lacks a required one.
  void unite(const ReaderOptions& options) {
    std::vector<std::string> all;
    columns::Notices unasked;
    for (auto& source : sources_) {
      text::FileOptions file{source.file.path, {}, batch_rows_, false, columns_.empty() ? &notices_ : &unasked, form_};
      file.lines_for_names = std::max<uint64_t>(10000, file.lines_for_names / sources_.size());
      const auto opened = open(source.format, file);
      source.present = opened->columns();
      for (const auto& name : opened->left_out()) {
        file.columns = {name};
        if (contains(columns_, name)) open(source.format, file);  // throws, and says why it cannot be read
      }
      auto names = source.present;
      for (const auto& [key, value] : source.file.keys) names.push_back(key);
      for (const auto& name : names)
        if (!contains(all, name)) all.push_back(name);
    }
    all_found_ = columns_.empty();
    if (all_found_) columns_ = all;
    for (const auto& name : columns_)
      if (!contains(all, name)) fail(ErrorKind::input, "{}: no column '{}'{}", paths_[0], name, suggestion(name, all));
    for (const auto& source : sources_)
      for (const auto& name : options.required) {
        if (contains(source.present, name) || key_of(source, name)) continue;
        const auto has = std::ranges::find_if(sources_, [&](const Source& s) { return contains(s.present, name); });
        fail(ErrorKind::input, "{}: no column '{}'{}{}", source.file.path, name,
             has == sources_.end() ? "" : fmt::format(", which '{}' has", has->file.path),
             suggestion(name, source.present));
      }
  }

  static const std::optional<std::string>* key_of(const Source& source, const std::string& name) {
    for (const auto& [key, value] : source.file.keys)
      if (key == name) return &value;
    return nullptr;
  }

  static std::unique_ptr<text::FileReader> open(files::Format format, const text::FileOptions& options) {
    if (files::is_memory_table(options.path)) return open_memory_table(options);
    if (format == files::Format::parquet) return open_parquet_file(options);
    if (format == files::Format::arrow) return open_arrow_file(options);
    return text::open_text_file(format, options);
  }

  void open_file() {
    const auto& source = sources_[at_];
    check_form(source);
    text::FileOptions options{source.file.path, columns_, batch_rows_, coded_, &notices_, form_};
    if (united_) {
      options.columns.clear();
      place_of_column_.clear();
      options.may_lack = source.format == files::Format::jsonl;
      options.all_found = all_found_;
      for (const auto& name : columns_) {
        const bool has = contains(source.present, name) || (options.may_lack && !key_of(source, name));
        place_of_column_.push_back(has ? options.columns.size() : kNone);
        if (has) options.columns.push_back(name);
      }
      if (options.columns.empty())
        options.columns.push_back(source.present[0]);  // an empty list would mean all; one column counts the rows
      of_file_.resize(options.columns.size());
    }
    file_ = open(source.format, options);
  }

  // Puts the columns of the file in their places; a column that the file lacks comes from its folder's name, or is
  // null.
  size_t next_of_united(std::vector<columns::Column>& columns) {
    const auto& source = sources_[at_];
    for (size_t c = 0; c < columns.size(); ++c)
      if (place_of_column_[c] != kNone) std::swap(of_file_[place_of_column_[c]], columns[c]);
    if (std::ranges::all_of(place_of_column_, [](size_t place) { return place == kNone; })) of_file_[0].clear();
    const size_t rows = file_->next(of_file_);
    for (size_t c = 0; c < columns.size(); ++c) {
      const auto* key = key_of(source, columns_[c]);
      if (place_of_column_[c] != kNone) {
        std::swap(of_file_[place_of_column_[c]], columns[c]);
        if (key) compare_with_key(columns[c], rows, *key);
        note_kind(c, columns[c], rows);
        if (!contains(source.present, columns_[c])) note_lacking(c, nulls_of(columns[c], rows));
        continue;
      }
      columns[c].type = columns::ColumnType::text;
      for (size_t row = 0; row < rows; ++row)
        key && *key && !contains(form_.null_values, **key) ? columns[c].push_text(**key) : columns[c].push_null();
      if (!key) note_lacking(c, rows);
    }
    return rows;
  }

  static uint64_t nulls_of(const columns::Column& column, size_t rows) {
    uint64_t nulls = 0;
    for (size_t row = 0; row < rows; ++row) nulls += column.is_null(row);
    return nulls;
  }

  void note_lacking(size_t c, uint64_t rows) {
    notices_.add(columns_[c], "rows come from files without it, and were read as empty", rows,
                 [&] { return paths_[at_]; });
  }

  void compare_with_key(const columns::Column& column, size_t rows, const std::optional<std::string>& key) {
    std::string scratch;
    uint64_t others = 0;
    for (size_t row = 0; row < rows; ++row) others += column.as_text(row, scratch) != key.value_or("");
    notices_.add(column.name, "rows are in a folder whose name gives another value; the file's own value is used",
                 others, [&] { return paths_[at_]; });
  }

  void note_kind(size_t c, const columns::Column& column, size_t rows) {
    const auto format = sources_[at_].format;
    if (format == files::Format::csv || format == files::Format::tsv || format == files::Format::adjacency) return;
    const auto kind = kind_of(column.type);
    auto& before = kinds_[c];
    if (before.kind == kind || (before.file == at_ && !before.kind.empty())) return;
    if (nulls_of(column, rows) == rows) return;
    if (before.kind.empty())
      before = {kind, at_};
    else
      notices_.add(
          column.name,
          fmt::format("rows come from files that hold {}, while '{}' holds {}", kind, paths_[before.file], before.kind),
          rows, [&] { return paths_[at_]; });
  }

  struct Kind {
    std::string_view kind;
    size_t file = 0;  // the first that holds it
  };

  size_t batch_rows_;
  bool coded_;
  columns::TableForm form_;
  columns::NullValues null_values_;
  bool united_ = false;     // several files, or columns from folder names
  bool all_found_ = false;  // columns_ are all columns that there are
  std::vector<Source> sources_;
  std::vector<std::string> paths_, columns_;
  std::vector<Kind> kinds_;  // per column
  size_t at_ = 0;            // the file being read
  columns::Notices notices_;
  std::unique_ptr<text::FileReader> file_;
  std::vector<size_t> place_of_column_;   // per column: its position in the file; kNone if the file lacks it
  std::vector<columns::Column> of_file_;  // the columns of the file
  uint64_t first_record_ = 0;
};

// Reads another reader's batches on a thread of its own. Consumed batches are reused.
class PrefetchingReader : public Reader {
 public:
  explicit PrefetchingReader(std::unique_ptr<MultiFileReader> files)
      : files_(std::move(files)), thread_([this] { read(); }) {}
  ~PrefetchingReader() override {
    filled_.close();
    used_.close();
    thread_.join();
  }
  PrefetchingReader(const PrefetchingReader&) = delete;
  PrefetchingReader& operator=(const PrefetchingReader&) = delete;

  const std::vector<std::string>& files() const override { return files_->files(); }
  files::Format format(size_t file) const override { return files_->format(file); }
  const std::vector<std::string>& columns() const override { return files_->columns(); }
  std::string place(size_t file, uint64_t record) const override { return files_->place(file, record); }
  const columns::Notices& notices() const override { return files_->notices(); }

  bool next(columns::RawBatch& batch) override {
    auto filled = filled_.pop();
    if (!filled) {
      batch.rows = 0;
      return false;
    }
    std::swap(batch, *filled);
    used_.push(std::move(*filled));
    return true;
  }

 private:
  static constexpr size_t kAhead = 2;

  void read() {
    try {
      for (size_t n = 0;; ++n) {
        std::optional<columns::RawBatch> batch(std::in_place);
        if (n > kAhead) batch = used_.pop();
        if (!batch || !files_->next(*batch) || !filled_.push(std::move(*batch))) break;
      }
      filled_.close();
    } catch (...) {
      filled_.close(std::current_exception());  // next() throws it after the earlier batches
    }
  }

  std::unique_ptr<MultiFileReader> files_;  // only thread_ calls next(); the rest of it does not change
  BoundedQueue<columns::RawBatch> filled_{kAhead}, used_{kAhead + 2};
  std::thread thread_;
};

}  // namespace

std::unique_ptr<Reader> open_reader(const ReaderOptions& options) {
  auto files = std::make_unique<MultiFileReader>(options);
  if (!options.ahead) return files;
  return std::make_unique<PrefetchingReader>(std::move(files));
}

}  // namespace pagoda::formats
