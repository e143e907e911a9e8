#include <arrow/io/file.h>
#include <parquet/arrow/reader.h>
#include <parquet/arrow/schema.h>

#include <algorithm>

#include "data/arrow_columns.h"
#include "data/file_reader.h"

namespace pagoda {

namespace {

void collect_leaves(const parquet::arrow::SchemaField& field, std::vector<int>& leaves) {
  if (field.is_leaf()) leaves.push_back(field.column_index);
  for (const auto& child : field.children) collect_leaves(child, leaves);
}

// Row group after row group, so that one of them is in memory at a time.
class ParquetFile : public FileReader {
 public:
  explicit ParquetFile(const FileOptions& options) : path_(options.path) {
    auto file = value_of(arrow::io::ReadableFile::Open(path_), path_);
    parquet::arrow::FileReaderBuilder builder;
    check_status(builder.Open(std::move(file)), path_);
    parquet::ArrowReaderProperties properties(/*use_threads=*/false);
    properties.set_batch_size(static_cast<int64_t>(options.batch_rows));
    properties.set_pre_buffer(false);
    builder.properties(properties);
    check_status(builder.Build(&reader_), path_);

    std::shared_ptr<arrow::Schema> schema;
    check_status(reader_->GetSchema(&schema), path_);
    for (const size_t f : readable_columns(path_, *schema, options.columns)) {
      columns_.push_back(schema->field(static_cast<int>(f))->name());
      collect_leaves(reader_->manifest().schema_fields[f], leaves_);
    }
    std::sort(leaves_.begin(), leaves_.end());  // a column may be asked for twice
    leaves_.erase(std::unique(leaves_.begin(), leaves_.end()), leaves_.end());
  }

  const std::vector<std::string>& columns() const override { return columns_; }

  size_t next(std::vector<Column>& columns) override {
    for (;;) {
      if (!batches_) {
        if (group_ == reader_->num_row_groups()) return 0;
        batches_ = value_of(reader_->GetRecordBatchReader({group_++}, leaves_), path_);
      }
      const auto batch = value_of(batches_->Next(), path_);
      if (!batch) {
        batches_.reset();
        continue;
      }
      if (batch->num_rows() == 0) continue;
      for (size_t c = 0; c < columns_.size(); ++c) read_array(*batch->GetColumnByName(columns_[c]), columns[c]);
      return static_cast<size_t>(batch->num_rows());
    }
  }

 private:
  std::string path_;
  std::unique_ptr<parquet::arrow::FileReader> reader_;
  std::unique_ptr<arrow::RecordBatchReader> batches_;
  std::vector<std::string> columns_;
  std::vector<int> leaves_;
  int group_ = 0;
};

}  // namespace

std::unique_ptr<FileReader> open_parquet_file(const FileOptions& options) {
  return std::make_unique<ParquetFile>(options);
}

}  // namespace pagoda
