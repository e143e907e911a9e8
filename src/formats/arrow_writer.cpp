#include "formats/arrow_writer.h"

#include <arrow/io/interfaces.h>
#include <arrow/ipc/writer.h>
#include <parquet/arrow/writer.h>

#include <exception>
#include <utility>

#include "core/file.h"
#include "formats/arrow_columns.h"

namespace pagoda::formats {

namespace {

std::shared_ptr<arrow::Schema> arrow_schema(const std::vector<ColumnSpec>& columns) {
  arrow::FieldVector fields;
  for (const auto& column : columns) {
    std::shared_ptr<arrow::DataType> type;
    switch (column.type) {
      case columns::ColumnType::text:
      case columns::ColumnType::decimal: type = arrow::utf8(); break;
      case columns::ColumnType::integer: type = arrow::int64(); break;
      case columns::ColumnType::real: type = arrow::float64(); break;
      case columns::ColumnType::boolean: type = arrow::boolean(); break;
      case columns::ColumnType::time: type = arrow::timestamp(arrow::TimeUnit::MICRO, "UTC"); break;
      case columns::ColumnType::texts: type = arrow::list(arrow::utf8()); break;
    }
    fields.push_back(arrow::field(column.name, type));
  }
  return arrow::schema(fields);
}

// Building an array in memory fails only if memory is exhausted.
void must(const arrow::Status& status) {
  if (!status.ok()) fail(ErrorKind::failed, "{}", status.message());
}

template <class Builder, class F>
std::shared_ptr<arrow::Array> build(Builder& builder, const columns::Column& column, F&& append) {
  for (size_t r = 0; r < column.rows(); ++r) must(column.is_null(r) ? builder.AppendNull() : append(r));
  std::shared_ptr<arrow::Array> array;
  must(builder.Finish(&array));
  return array;
}

std::string_view chars(std::span<const char> s) { return {s.data(), s.size()}; }

std::shared_ptr<arrow::Array> arrow_array(const std::shared_ptr<arrow::DataType>& type, const columns::Column& column) {
  auto* pool = arrow::default_memory_pool();
  switch (column.type) {
    case columns::ColumnType::text:
    case columns::ColumnType::decimal: {
      arrow::StringBuilder builder(type, pool);
      return build(builder, column, [&](size_t r) { return builder.Append(chars(column.text[r])); });
    }
    case columns::ColumnType::integer: {
      arrow::Int64Builder builder(type, pool);
      return build(builder, column, [&](size_t r) { return builder.Append(column.integers[r]); });
    }
    case columns::ColumnType::time: {
      arrow::TimestampBuilder builder(type, pool);
      return build(builder, column, [&](size_t r) { return builder.Append(column.integers[r]); });
    }
    case columns::ColumnType::boolean: {
      arrow::BooleanBuilder builder(type, pool);
      return build(builder, column, [&](size_t r) { return builder.Append(column.integers[r] != 0); });
    }
    case columns::ColumnType::real: {
      arrow::DoubleBuilder builder(type, pool);
      return build(builder, column, [&](size_t r) { return builder.Append(column.reals[r]); });
    }
    default: {
      auto words = std::make_shared<arrow::StringBuilder>(pool);
      arrow::ListBuilder builder(pool, words, type);
      return build(builder, column, [&](size_t r) {
        auto status = builder.Append();
        for (uint64_t e = column.element_offsets[r]; status.ok() && e < column.element_offsets[r + 1]; ++e)
          status = words->Append(chars(column.elements[e]));
        return status;
      });
    }
  }
}

std::shared_ptr<arrow::RecordBatch> arrow_batch(const std::shared_ptr<arrow::Schema>& schema,
                                                const columns::RawBatch& batch) {
  arrow::ArrayVector arrays;
  for (size_t c = 0; c < batch.columns.size(); ++c)
    arrays.push_back(arrow_array(schema->field(static_cast<int>(c))->type(), batch.columns[c]));
  return arrow::RecordBatch::Make(schema, static_cast<int64_t>(batch.rows), std::move(arrays));
}

// Writes Arrow's bytes to an AtomicFile. Arrow does not use exceptions, so error() keeps an Error for the caller that
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
  ArrowWriter(const std::string& path, const std::vector<ColumnSpec>& columns, files::Format format)
      : path_(path), columns_(columns), schema_(arrow_schema(columns)), stream_(std::make_shared<AtomicStream>(path)) {
    if (format == files::Format::arrow) {
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
    // Arrow's writers end their file when they are destroyed; without close() ours never gets its name.
    if (parquet_ && !closed_) (void)parquet_->Close();
  }

  void write(const columns::RawBatch& batch) override {
    check(!closed_, "nothing is written after close");
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
  return std::make_unique<ArrowWriter>(path, columns, files::Format::parquet);
}

std::unique_ptr<Writer> open_arrow_writer(const std::string& path, const std::vector<ColumnSpec>& columns) {
  return std::make_unique<ArrowWriter>(path, columns, files::Format::arrow);
}

}  // namespace pagoda::formats
