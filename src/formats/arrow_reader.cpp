// Reads Arrow IPC: the file format (.arrow, Feather 2) and the stream format, recognised by the first bytes.
#include <arrow/io/file.h>
#include <arrow/ipc/reader.h>

#include <algorithm>

#include "formats/arrow_columns.h"
#include "formats/arrow_schema.h"
#include "formats/arrow_types.h"
#include "formats/binary_files.h"

namespace pagoda::formats {

namespace {

// Holds one record batch of the file in memory and returns it in slices.
class ArrowFile : public text::FileReader {
 public:
  explicit ArrowFile(const text::FileOptions& options)
      : path_(options.path), notices_(*options.notices), batch_rows_(options.batch_rows) {
    std::vector<WideColumn> wide;
    const auto file = patch_arrow_file(value_of(arrow::io::ReadableFile::Open(path_), path_), wide);
    check_status(file->Seek(0), path_);
    const auto magic = value_of(file->Read(6), path_);
    check_status(file->Seek(0), path_);
    if (magic->size() == 0) fail(ErrorKind::input, "{}: the file is empty", path_);
    std::shared_ptr<arrow::Schema> schema;
    if (magic->ToString() == "ARROW1") {
      whole_ = value_of(arrow::ipc::RecordBatchFileReader::Open(file), path_);
      schema = whole_->schema();
    } else {
      stream_ = value_of(arrow::ipc::RecordBatchStreamReader::Open(file), path_);
      schema = stream_->schema();
    }
    const auto chosen = readable_columns(path_, *schema, options.columns, notices_, left_out_);
    for (const size_t f : chosen) {
      const auto& field = *schema->field(static_cast<int>(f));
      columns_.push_back(field.name());
      wide_.push_back(find_wide(wide, field));
    }
    if (whole_) {
      auto projected = arrow::ipc::IpcReadOptions::Defaults();
      projected.use_threads = false;
      for (const size_t f : chosen) projected.included_fields.push_back(static_cast<int>(f));
      whole_ = value_of(arrow::ipc::RecordBatchFileReader::Open(file, projected), path_);
    }
  }

  const std::vector<std::string>& columns() const override { return columns_; }
  std::vector<std::string> left_out() const override { return left_out_; }

  size_t next(std::vector<columns::Column>& columns) override {
    while (!batch_ || at_ == batch_->num_rows()) {
      batch_ = read_batch();
      at_ = 0;
      if (!batch_) return 0;
      check_status(batch_->Validate(), path_);  // a damaged file may promise more than its buffers hold
    }
    const int64_t n = std::min<int64_t>(static_cast<int64_t>(batch_rows_), batch_->num_rows() - at_);
    for (size_t c = 0; c < columns_.size(); ++c) {
      const auto part = batch_->GetColumnByName(columns_[c])->Slice(at_, n);
      if (wide_[c])
        read_wide_integers(*part, wide_[c]->is_signed, columns[c]);
      else
        read_array(*part, columns[c], {notices_, path_, rows_});
    }
    at_ += n;
    rows_ += static_cast<uint64_t>(n);
    return static_cast<size_t>(n);
  }

 private:
  std::shared_ptr<arrow::RecordBatch> read_batch() {
    if (stream_) return value_of(stream_->Next(), path_);
    return number_ == whole_->num_record_batches() ? nullptr : value_of(whole_->ReadRecordBatch(number_++), path_);
  }

  std::string path_;
  columns::Notices& notices_;
  size_t batch_rows_;
  std::shared_ptr<arrow::ipc::RecordBatchFileReader> whole_;
  std::shared_ptr<arrow::ipc::RecordBatchStreamReader> stream_;
  std::vector<std::string> columns_, left_out_;
  std::vector<std::optional<WideColumn>> wide_;  // per column
  std::shared_ptr<arrow::RecordBatch> batch_;
  int64_t at_ = 0;
  uint64_t rows_ = 0;  // returned so far
  int number_ = 0;
};

}  // namespace

std::unique_ptr<text::FileReader> open_arrow_file(const text::FileOptions& options) {
  return std::make_unique<ArrowFile>(options);
}

}  // namespace pagoda::formats
