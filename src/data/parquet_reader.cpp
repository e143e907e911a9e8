#include <arrow/io/file.h>
#include <parquet/arrow/reader.h>
#include <parquet/arrow/schema.h>
#include <parquet/exception.h>
#include <parquet/file_reader.h>
#include <parquet/metadata.h>

#include <algorithm>

#include "data/arrow_columns.h"
#include "data/file_reader.h"
#include "data/parquet_flat.h"

namespace pagoda {

namespace {

void collect_leaves(const parquet::arrow::SchemaField& field, std::vector<int>& leaves) {
  if (field.is_leaf()) leaves.push_back(field.column_index);
  for (const auto& child : field.children) collect_leaves(child, leaves);
}

// Columns of texts whose file has them as codes of a dictionary come as these.
void read_dictionaries(const parquet::FileMetaData& file, parquet::ArrowReaderProperties& properties) {
  if (file.num_row_groups() == 0) return;
  const auto group = file.RowGroup(0);
  for (int c = 0; c < file.num_columns(); ++c) {
    const auto& column = *file.schema()->Column(c);
    const auto& logical = *column.logical_type();
    if (column.physical_type() == parquet::Type::BYTE_ARRAY && column.max_repetition_level() == 0 &&
        (logical.is_string() || logical.is_none()) && group->ColumnChunk(c)->has_dictionary_page())
      properties.set_read_dictionary(c, true);
  }
}

// At least as many rows are decoded at once, the columns in parallel: what a batch of Arrow costs is spread over them.
constexpr int64_t kDecoded = 1 << 20;

// Row group after row group, so that one of them is in memory at a time; of a larger one its next kDecoded rows. Where
// texts may come coded and all columns are flat ones, no Arrow array is made and a batch is all that is decoded.
class ParquetFile : public FileReader {
 public:
  explicit ParquetFile(const FileOptions& options)
      : path_(options.path), batch_rows_(static_cast<int64_t>(options.batch_rows)), coded_(options.coded) {
    naming_the_file([&] { open(options); });
  }

  const std::vector<std::string>& columns() const override { return columns_; }
  uint64_t rows() const override {
    return static_cast<uint64_t>(std::max<int64_t>(0, reader_->parquet_reader()->metadata()->num_rows()));
  }

  size_t next(std::vector<Column>& columns) override {
    size_t rows = 0;
    naming_the_file([&] { rows = flat_.empty() ? next_of_arrow(columns) : next_of_flat(columns); });
    return rows;
  }

 private:
  // What Parquet's own layer says by an exception, as what Arrow says by a status.
  template <class F>
  void naming_the_file(F f) const {
    try {
      f();
    } catch (const parquet::ParquetException& error) {
      check_status(arrow::Status::IOError(error.what()), path_);
    }
  }

  void open(const FileOptions& options) {
    auto file = value_of(arrow::io::ReadableFile::Open(path_), path_);
    parquet::arrow::FileReaderBuilder builder;
    check_status(builder.Open(std::move(file)), path_);
    parquet::ArrowReaderProperties properties(/*use_threads=*/true);
    properties.set_batch_size(std::max<int64_t>(kDecoded, static_cast<int64_t>(options.batch_rows)));
    properties.set_pre_buffer(false);
    if (options.coded) read_dictionaries(*builder.raw_reader()->metadata(), properties);
    builder.properties(properties);
    check_status(builder.Build(&reader_), path_);

    std::shared_ptr<arrow::Schema> schema;
    check_status(reader_->GetSchema(&schema), path_);
    for (const size_t f : readable_columns(path_, *schema, options.columns)) {
      columns_.push_back(schema->field(static_cast<int>(f))->name());
      collect_leaves(reader_->manifest().schema_fields[f], leaves_);
    }
    coded_texts_.resize(columns_.size());
    if (coded_) find_flat(*schema);
    std::sort(leaves_.begin(), leaves_.end());  // a column may be asked for twice
    leaves_.erase(std::unique(leaves_.begin(), leaves_.end()), leaves_.end());
  }

  void find_flat(const arrow::Schema& schema) {
    const auto& file = *reader_->parquet_reader()->metadata()->schema();
    for (const auto& name : columns_) {
      const int f = schema.GetFieldIndex(name);
      const auto& field = reader_->manifest().schema_fields[static_cast<size_t>(f)];
      auto column = field.is_leaf() ? flat_column(file, field.column_index, *schema.field(f)->type()) : nullptr;
      if (!column) return flat_.clear();
      flat_.push_back(std::move(column));
    }
  }

  size_t next_of_flat(std::vector<Column>& columns) {
    while (left_ == 0) {
      if (group_ == reader_->num_row_groups()) return 0;
      const auto group = reader_->parquet_reader()->RowGroup(group_++);
      left_ = group->metadata()->num_rows();
      if (left_ < 0) throw parquet::ParquetException("a row group of fewer than no rows");
      for (const auto& column : flat_) column->start(*group);
    }
    const int64_t n = std::min(batch_rows_, left_);
    for (size_t c = 0; c < flat_.size(); ++c) flat_[c]->read(static_cast<size_t>(n), columns[c]);
    left_ -= n;
    return static_cast<size_t>(n);
  }

  size_t next_of_arrow(std::vector<Column>& columns) {
    while (!decoded_ || at_ == decoded_->num_rows()) {
      if (!batches_) {
        if (group_ == reader_->num_row_groups()) return 0;
        batches_ = value_of(reader_->GetRecordBatchReader({group_++}, leaves_), path_);
      }
      decoded_ = value_of(batches_->Next(), path_);
      at_ = 0;
      if (!decoded_) batches_.reset();
    }
    const int64_t n = std::min(batch_rows_, decoded_->num_rows() - at_);
    for (size_t c = 0; c < columns_.size(); ++c) {
      const auto part = decoded_->GetColumnByName(columns_[c])->Slice(at_, n);
      if (coded_ && CodedTexts::can_read(*part->type()))
        coded_texts_[c].read(*part, columns[c]);
      else
        read_array(*part, columns[c]);
    }
    at_ += n;
    return static_cast<size_t>(n);
  }

  std::string path_;
  int64_t batch_rows_;
  bool coded_;
  std::unique_ptr<parquet::arrow::FileReader> reader_;
  std::unique_ptr<arrow::RecordBatchReader> batches_;  // of one row group
  std::shared_ptr<arrow::RecordBatch> decoded_;
  int64_t at_ = 0;  // the first row of decoded_ not given yet
  std::vector<std::string> columns_;
  std::vector<CodedTexts> coded_texts_;  // per column
  std::vector<int> leaves_;
  std::vector<std::unique_ptr<FlatColumn>> flat_;  // per column; none where Arrow reads
  int64_t left_ = 0;                               // of the row group that flat_ reads
  int group_ = 0;
};

}  // namespace

std::unique_ptr<FileReader> open_parquet_file(const FileOptions& options) {
  return std::make_unique<ParquetFile>(options);
}

}  // namespace pagoda
