#include "formats/memory_tables.h"

#include <arrow/c/bridge.h>

#include <algorithm>
#include <utility>

#include "files/source_files.h"
#include "formats/arrow_columns.h"
#include "formats/arrow_types.h"
#include "formats/binary_files.h"

namespace pagoda::formats {

namespace {

thread_local const MemoryTables* current = nullptr;

// Reads batches as the table's owner makes them, in slices.
class StreamedTable : public text::FileReader {
 public:
  explicit StreamedTable(const text::FileOptions& options)
      : path_(options.path), notices_(*options.notices), batch_rows_(static_cast<int64_t>(options.batch_rows)),
        coded_(options.coded) {
    ArrowArrayStream stream{};
    find_memory_table(path_)(&stream);
    reader_ = opened(arrow::ImportRecordBatchReader(&stream));
    for (const size_t f : readable_columns(path_, *reader_->schema(), options.columns, notices_, left_out_)) {
      fields_.push_back(static_cast<int>(f));
      columns_.push_back(reader_->schema()->field(fields_.back())->name());
    }
    coded_texts_.resize(columns_.size());
  }

  const std::vector<std::string>& columns() const override { return columns_; }
  std::vector<std::string> left_out() const override { return left_out_; }

  size_t next(std::vector<columns::Column>& columns) override {
    while (!batch_ || at_ == batch_->num_rows()) {
      batch_ = opened(reader_->Next());
      at_ = 0;
      if (!batch_) return 0;
      const auto valid = batch_->Validate();  // another program made it
      if (!valid.ok()) fail(ErrorKind::input, "{}: is no valid Arrow data ({})", path_, valid.message());
    }
    const int64_t rows = std::min(batch_rows_, batch_->num_rows() - at_);
    for (size_t c = 0; c < columns_.size(); ++c) {
      const auto part = batch_->column(fields_[c])->Slice(at_, rows);
      const columns::SourceRows source_rows{notices_, path_, given_};
      if (coded_ && CodedTexts::can_read(*part->type()))
        coded_texts_[c].read(*part, columns[c], source_rows);
      else
        read_array(*part, columns[c], source_rows);
    }
    at_ += rows;
    given_ += static_cast<uint64_t>(rows);
    return static_cast<size_t>(rows);
  }

 private:
  // The owner's own words: what went wrong is not the fault of a file.
  template <class T>
  T opened(arrow::Result<T> result) const {
    if (!result.ok()) fail(ErrorKind::input, "{}: cannot be read: {}", path_, result.status().message());
    return std::move(result).ValueUnsafe();
  }

  std::string path_;
  columns::Notices& notices_;
  int64_t batch_rows_;
  bool coded_;
  std::shared_ptr<arrow::RecordBatchReader> reader_;
  std::vector<int> fields_;  // per column: its field of the schema
  std::vector<std::string> columns_, left_out_;
  std::vector<CodedTexts> coded_texts_;  // per column
  std::shared_ptr<arrow::RecordBatch> batch_;
  int64_t at_ = 0;
  uint64_t given_ = 0;  // rows returned so far
};

}  // namespace

ScopedMemoryTables::ScopedMemoryTables(MemoryTables tables)
    : tables_(std::move(tables)), before_(std::exchange(current, &tables_)) {}

ScopedMemoryTables::~ScopedMemoryTables() { current = before_; }

const OpenStream& find_memory_table(const std::string& path) {
  const auto name = path.substr(files::kMemoryTable.size());
  if (current)
    if (const auto found = current->find(name); found != current->end()) return found->second;
  fail(ErrorKind::input, "{}: was a table in memory, which is not there any more; give the data again", path);
}

std::unique_ptr<text::FileReader> open_memory_table(const text::FileOptions& options) {
  return std::make_unique<StreamedTable>(options);
}

}  // namespace pagoda::formats
