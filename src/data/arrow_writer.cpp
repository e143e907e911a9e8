#include "data/arrow_writer.h"

#include <arrow/io/interfaces.h>
#include <arrow/ipc/writer.h>
#include <parquet/arrow/writer.h>

#include <exception>
#include <utility>

#include "core/file.h"
#include "data/arrow_columns.h"

namespace pagoda {

namespace {

// Arrow's bytes into a file that appears whole. Arrow knows no exceptions, so an Error waits in error() for whoever
// sees the Status.
class AtomicStream : public arrow::io::OutputStream {
 public:
  explicit AtomicStream(const std::string& path) : file_(path) {}

  arrow::Status Write(const void* data, int64_t size) override {
    try {
      file_.write(data, static_cast<size_t>(size));
      return arrow::Status::OK();
    } catch (const Error& e) {
      error_ = std::current_exception();
      return arrow::Status::IOError(e.what());
    }
  }
  arrow::Result<int64_t> Tell() const override { return static_cast<int64_t>(file_.size()); }
  arrow::Status Close() override {
    closed_ = true;
    return arrow::Status::OK();
  }
  bool closed() const override { return closed_; }

  void commit() { file_.commit(); }
  std::exception_ptr error() const { return error_; }

 private:
  AtomicFile file_;
  std::exception_ptr error_;
  bool closed_ = false;
};

class ArrowWriter : public Writer {
 public:
  ArrowWriter(const std::string& path, const std::vector<ColumnSpec>& columns, Format format)
      : path_(path), columns_(columns), schema_(arrow_schema(columns)), stream_(std::make_shared<AtomicStream>(path)) {
    if (format == Format::arrow) {
      auto opened = arrow::ipc::MakeFileWriter(stream_, schema_);
      must(opened.status());
      arrow_ = *opened;
      return;
    }
    const auto properties = parquet::WriterProperties::Builder()
                                .compression(parquet::Compression::ZSTD)
                                ->max_row_group_length(kRowGroupRows)
                                ->build();
    auto opened = parquet::arrow::FileWriter::Open(*schema_, arrow::default_memory_pool(), stream_, properties,
                                                   parquet::ArrowWriterProperties::Builder().store_schema()->build());
    must(opened.status());
    parquet_ = std::move(*opened);
  }

  ~ArrowWriter() override {
    // Arrow's writers end their file when they go; without close() ours never gets its name.
    if (parquet_ && !closed_) (void)parquet_->Close();
  }

  void write(const RawBatch& batch) override {
    check(!closed_, "a writer is not written to after close");
    check_batch(columns_, batch);
    if (batch.rows == 0) return;
    const auto rows = arrow_batch(schema_, batch);
    must(parquet_ ? parquet_->WriteRecordBatch(*rows) : arrow_->WriteRecordBatch(*rows));
  }

  void close() override {
    if (std::exchange(closed_, true)) return;
    must(parquet_ ? parquet_->Close() : arrow_->Close());
    stream_->commit();
  }

 private:
  static constexpr int64_t kRowGroupRows = 1 << 18;  // held, encoded, until the group is full

  void must(const arrow::Status& status) {
    if (status.ok()) return;
    if (stream_->error()) std::rethrow_exception(stream_->error());
    fail(ErrorKind::failed, "{}: writing failed: {}; free some space or write elsewhere", path_, status.message());
  }

  std::string path_;
  std::vector<ColumnSpec> columns_;
  std::shared_ptr<arrow::Schema> schema_;
  std::shared_ptr<AtomicStream> stream_;
  std::unique_ptr<parquet::arrow::FileWriter> parquet_;
  std::shared_ptr<arrow::ipc::RecordBatchWriter> arrow_;
  bool closed_ = false;
};

}  // namespace

std::unique_ptr<Writer> open_parquet_writer(const std::string& path, const std::vector<ColumnSpec>& columns) {
  return std::make_unique<ArrowWriter>(path, columns, Format::parquet);
}

std::unique_ptr<Writer> open_arrow_writer(const std::string& path, const std::vector<ColumnSpec>& columns) {
  return std::make_unique<ArrowWriter>(path, columns, Format::arrow);
}

}  // namespace pagoda
