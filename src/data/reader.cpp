#include "data/reader.h"

#include <glob.h>

#include <algorithm>
#include <filesystem>
#include <optional>
#include <thread>

#include "core/bounded_queue.h"
#include "core/error.h"
#include "core/suggest.h"
#include "data/file_reader.h"
#include "data/text_lines.h"

namespace pagoda {

namespace {

namespace fs = std::filesystem;

struct FormatName {
  std::string_view name;
  Format format;
};

constexpr FormatName kFormats[] = {
    {"csv", Format::csv},         {"tsv", Format::tsv},      {"jsonl", Format::jsonl},
    {"parquet", Format::parquet}, {"arrow", Format::arrow},  {"adjacency", Format::adjacency},
    {"tab", Format::tsv},         {"ndjson", Format::jsonl}, {"pq", Format::parquet},
    {"feather", Format::arrow},   {"ipc", Format::arrow},    {"txt", Format::adjacency},
};
constexpr std::string_view kKnown = "csv, tsv, jsonl, parquet, arrow, adjacency";

std::vector<std::string> expand(const std::string& pattern) {
  if (fs::exists(pattern)) return {pattern};
  if (pattern.find_first_of("*?[") != pattern.npos) {
    glob_t found{};
    std::vector<std::string> paths;
    if (glob(pattern.c_str(), 0, nullptr, &found) == 0) paths.assign(found.gl_pathv, found.gl_pathv + found.gl_pathc);
    globfree(&found);
    std::erase_if(paths, [](const std::string& path) { return fs::is_directory(path); });
    std::sort(paths.begin(), paths.end());
    if (paths.empty()) fail(ErrorKind::input, "{}: no file matches", pattern);
    return paths;
  }
  const fs::path path(pattern);
  const fs::path folder = path.has_parent_path() ? path.parent_path() : fs::path(".");
  std::error_code ignored;
  if (!fs::is_directory(folder, ignored))
    fail(ErrorKind::input, "{}: no such file; there is no folder '{}'", pattern, folder.string());
  std::vector<std::string> beside;
  for (const auto& entry : fs::directory_iterator(folder, ignored)) beside.push_back(entry.path().filename().string());
  std::sort(beside.begin(), beside.end());
  const auto near = nearest(path.filename().string(), beside);
  fail(ErrorKind::input, "{}: no such file{}", pattern,
       near.empty() ? "" : fmt::format("; did you mean '{}'?", (path.parent_path() / near).string()));
}

// A .txt is taken for adjacency by its name alone; a header between commas or tabs says otherwise.
void check_is_adjacency(const std::string& path) {
  TextLines lines(path);
  std::string_view line;
  if (!lines.next(line) || line.find_first_of(",\t") == line.npos) return;
  const bool tabs = line.find('\t') != line.npos;
  fail(ErrorKind::usage,
       "{}: a .txt is read as lines of 'user item item ...', but this one has {}; set format = \"{}\" "
       "(or format = \"adjacency\" if it is one)",
       path, tabs ? "tabs" : "commas", tabs ? "tsv" : "csv");
}

class Files : public Reader {
 public:
  explicit Files(const ReaderOptions& options)
      : batch_rows_(std::max<size_t>(1, options.batch_rows)), coded_(options.coded), form_(options.form) {
    for (const auto& pattern : options.paths)
      for (auto& path : expand(pattern)) paths_.push_back(std::move(path));
    if (paths_.empty()) fail(ErrorKind::input, "no input file is given");
    for (const auto& path : paths_) {
      formats_.push_back(options.format == Format::automatic ? format_from_path(path) : options.format);
      if (options.format == Format::automatic && formats_.back() == Format::adjacency) check_is_adjacency(path);
    }
    columns_ = options.columns;
    open_file();
    columns_ = file_->columns();
  }

  const std::vector<std::string>& files() const override { return paths_; }
  const std::vector<std::string>& columns() const override { return columns_; }
  const Notices& notices() const override { return notices_; }

  bool next(RawBatch& batch) override {
    batch.columns.resize(columns_.size());
    for (; at_ < paths_.size(); ++at_, first_record_ = 0, file_.reset()) {
      if (!file_) open_file();
      for (size_t c = 0; c < columns_.size(); ++c) {
        batch.columns[c].clear();
        batch.columns[c].name = columns_[c];
      }
      batch.rows = file_->next(batch.columns);
      if (batch.rows == 0) continue;
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
    switch (formats_[file]) {
      case Format::csv: return place_in_delimited_file(path, ',', record);
      case Format::tsv: return place_in_delimited_file(path, '\t', record);
      case Format::jsonl: return place_in_jsonl_file(path, record);
      case Format::adjacency: return place_in_adjacency_file(path, record);
      default: return fmt::format("{}: row {}", path, record + 1);
    }
  }

 private:
  void open_file() {
    const FileOptions options{paths_[at_], columns_, batch_rows_, coded_, &notices_, form_};
    switch (formats_[at_]) {
      case Format::tsv: file_ = open_delimited_file(options, '\t'); break;
      case Format::jsonl: file_ = open_jsonl_file(options); break;
      case Format::parquet: file_ = open_parquet_file(options); break;
      case Format::arrow: file_ = open_arrow_file(options); break;
      case Format::adjacency: file_ = open_adjacency_file(options); break;
      default: file_ = open_delimited_file(options, ',');
    }
  }

  size_t batch_rows_;
  bool coded_;
  TableForm form_;
  std::vector<std::string> paths_, columns_;
  std::vector<Format> formats_;
  size_t at_ = 0;  // the file being read
  Notices notices_;
  std::unique_ptr<FileReader> file_;
  uint64_t first_record_ = 0;
};

// Another reader's batches, read on a thread of their own. Batches that were consumed go back to be filled again.
class ReaderAhead : public Reader {
 public:
  explicit ReaderAhead(std::unique_ptr<Files> files) : files_(std::move(files)), thread_([this] { read(); }) {}
  ~ReaderAhead() override {
    filled_.close();
    used_.close();
    thread_.join();
  }
  ReaderAhead(const ReaderAhead&) = delete;
  ReaderAhead& operator=(const ReaderAhead&) = delete;

  const std::vector<std::string>& files() const override { return files_->files(); }
  const std::vector<std::string>& columns() const override { return files_->columns(); }
  std::string place(size_t file, uint64_t record) const override { return files_->place(file, record); }
  const Notices& notices() const override { return files_->notices(); }

  bool next(RawBatch& batch) override {
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
        std::optional<RawBatch> batch(std::in_place);
        if (n > kAhead) batch = used_.pop();
        if (!batch || !files_->next(*batch) || !filled_.push(std::move(*batch))) break;
      }
      filled_.close();
    } catch (...) {
      filled_.close(std::current_exception());  // next() throws it behind the batches before it
    }
  }

  std::unique_ptr<Files> files_;  // next() is called by thread_ alone; the rest of it does not change
  BoundedQueue<RawBatch> filled_{kAhead}, used_{kAhead + 2};
  std::thread thread_;
};

}  // namespace

Format format_from_name(std::string_view name) {
  for (const auto& known : kFormats)
    if (known.name == name) return known.format;
  fail(ErrorKind::usage, "'{}' is no format; known: {}", name, kKnown);
}

Format format_from_path(const std::string& path) {
  fs::path name = fs::path(path).filename();
  if (name.extension() == ".gz" || name.extension() == ".zst") name = name.stem();
  std::string extension = name.extension().string();
  std::transform(extension.begin(), extension.end(), extension.begin(),
                 [](unsigned char c) { return std::tolower(c); });
  for (const auto& known : kFormats)
    if (extension.size() > 1 && known.name == extension.substr(1)) return known.format;
  fail(ErrorKind::usage, "{}: the format can not be told from the name; set format to one of {}", path, kKnown);
}

std::vector<size_t> select_columns(const std::string& path, const std::vector<std::string>& present,
                                   const std::vector<std::string>& wanted) {
  std::vector<size_t> chosen;
  for (const auto& name : wanted) {
    const auto found = std::find(present.begin(), present.end(), name);
    if (found == present.end()) fail(ErrorKind::input, "{}: no column '{}'{}", path, name, suggestion(name, present));
    if (std::find(found + 1, present.end(), name) != present.end())
      fail(ErrorKind::input, "{}: two columns are named '{}'; rename one", path, name);
    chosen.push_back(static_cast<size_t>(found - present.begin()));
  }
  return chosen;
}

std::unique_ptr<Reader> open_reader(const ReaderOptions& options) {
  auto files = std::make_unique<Files>(options);
  if (!options.ahead) return files;
  return std::make_unique<ReaderAhead>(std::move(files));
}

}  // namespace pagoda
