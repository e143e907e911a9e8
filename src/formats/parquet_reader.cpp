#include <parquet/arrow/reader.h>
#include <parquet/arrow/schema.h>
#include <parquet/exception.h>
#include <parquet/file_reader.h>
#include <parquet/metadata.h>

#include <algorithm>
#include <utility>

#include "formats/arrow_columns.h"
#include "formats/arrow_schema.h"
#include "formats/arrow_types.h"
#include "formats/binary_files.h"
#include "formats/parquet_flat.h"
#include "formats/parquet_open.h"

namespace pagoda::formats {

namespace {

// Asks for dictionary codes for the text columns that the file holds as codes of a dictionary.
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

// The field as Arrow sees it, or, if Arrow mistakes its type, a field that names the true type.
std::shared_ptr<arrow::Field> true_field(const parquet::SchemaDescriptor& file,
                                         const parquet::arrow::SchemaField& field) {
  std::vector<int> leaves;
  collect_leaves(field, leaves);
  for (const int leaf : leaves) {
    const auto& column = *file.Column(leaf);
    if (column.logical_type()->is_interval()) return named_extension(*field.field, "Parquet INTERVAL");
    if (column.logical_type()->is_BSON()) return named_extension(*field.field, "Parquet BSON");
    if (column.physical_type() == parquet::Type::INT96 && !field.is_leaf())
      return named_extension(*field.field, "a list of Parquet INT96");
  }
  return field.field;
}

// At least so many rows are decoded at once, the columns in parallel, to spread the fixed cost of an Arrow batch.
constexpr int64_t kDecoded = 1 << 20;

// Reads row group after row group, so that only one is in memory at a time, and of a large one only its next kDecoded
// rows. If texts may come as codes and all columns are flat, no Arrow array is made and only a batch is decoded.
// Otherwise Arrow reads all columns except those of INT96.
class ParquetFile : public text::FileReader {
 public:
  explicit ParquetFile(const text::FileOptions& options)
      : path_(options.path), notices_(*options.notices), batch_rows_(static_cast<int64_t>(options.batch_rows)),
        coded_(options.coded), all_(options.columns.empty() || options.all_found) {
    naming_the_file([&] { open(options); });
  }

  const std::vector<std::string>& columns() const override { return columns_; }
  std::vector<std::string> left_out() const override { return left_out_; }
  uint64_t rows() const override {
    return static_cast<uint64_t>(std::max<int64_t>(0, reader_->parquet_reader()->metadata()->num_rows()));
  }

  size_t next(std::vector<columns::Column>& columns) override {
    size_t rows = 0;
    naming_the_file([&] { rows = next_rows(columns); });
    return rows;
  }

 private:
  // Turns an exception of the Parquet layer into the same error as an Arrow status.
  template <class F>
  void naming_the_file(F f) const {
    try {
      f();
    } catch (const parquet::ParquetException& error) {
      check_status(arrow::Status::IOError(error.what()), path_);
    }
  }

  void open(const text::FileOptions& options) {
    auto opened = open_parquet(path_, [&](const auto& metadata, parquet::ArrowReaderProperties& properties) {
      properties.set_use_threads(true);
      properties.set_batch_size(std::max<int64_t>(kDecoded, batch_rows_));
      if (coded_) read_dictionaries(metadata, properties);
    });
    reader_ = std::move(opened.reader);
    if (opened.types_lost && !options.all_found)  // else it was reported when the columns were found
      notices_.add("",
                   "file(s) hold an Arrow schema that cannot be read, so that only the Parquet types were used: "
                   "durations and one-byte booleans are numbers",
                   1, [&] { return path_; });

    const auto& file = *reader_->parquet_reader()->metadata()->schema();
    arrow::FieldVector fields;
    for (const auto& field : reader_->manifest().schema_fields) fields.push_back(true_field(file, field));
    for (const size_t f : readable_columns(path_, *arrow::schema(fields), options.columns, notices_, left_out_)) {
      const auto& field = reader_->manifest().schema_fields[f];
      columns_.push_back(fields[f]->name());
      wide_.push_back(find_wide(opened.wide, *fields[f]));
      column_leaves_.emplace_back();
      collect_leaves(field, column_leaves_.back());
      flat_.push_back(field.is_leaf() && !wide_.back() ? flat_column(file, field.column_index, *fields[f]->type())
                                                       : nullptr);
    }
    coded_texts_.resize(columns_.size());
    if (!coded_ || std::ranges::any_of(flat_, [](const auto& column) { return !column; }))
      for (size_t c = 0; c < columns_.size(); ++c)
        if (flat_[c] && file.Column(column_leaves_[c][0])->physical_type() != parquet::Type::INT96) flat_[c] = nullptr;
    for (size_t c = 0; c < columns_.size(); ++c)
      if (!flat_[c]) leaves_.insert(leaves_.end(), column_leaves_[c].begin(), column_leaves_[c].end());
    std::sort(leaves_.begin(), leaves_.end());  // a column may be asked for twice
    leaves_.erase(std::unique(leaves_.begin(), leaves_.end()), leaves_.end());
  }

  bool start_group() {
    if (group_ == reader_->num_row_groups()) return false;
    const auto group = reader_->parquet_reader()->RowGroup(group_);
    left_ = group->metadata()->num_rows();
    if (left_ < 0) throw parquet::ParquetException("a row group of fewer than no rows");
    for (const auto& column : flat_)
      if (column) column->start(*group);
    broken_.assign(columns_.size(), false);
    if (!leaves_.empty()) batches_ = value_of(reader_->GetRecordBatchReader({group_}, leaves_), path_);
    decoded_ = nullptr;
    ++group_;
    return true;
  }

  void decode() {
    auto next = batches_->Next();
    if (!next.ok()) {
      find_broken(next.status());
      next = batches_->Next();
    }
    decoded_ = value_of(std::move(next), path_);
    at_ = 0;
    if (!decoded_) throw parquet::ParquetException("a row group has fewer rows than it says");
  }

  // Names the column that Arrow cannot read. DuckDB writes an ARRAY that is NULL in a way that only DuckDB reads: if
  // nobody asked for that column, the others are read nevertheless.
  void find_broken(const arrow::Status& status) {
    std::vector<int> leaves;
    bool found = false;
    for (size_t c = 0; c < columns_.size(); ++c) {
      if (flat_[c]) continue;
      const auto alone = read_alone(column_leaves_[c]);
      if (alone.ok()) {
        leaves.insert(leaves.end(), column_leaves_[c].begin(), column_leaves_[c].end());
        continue;
      }
      if (!all_ || !of_duckdb() || !is_list(c) || decoded_) fail_at(c, alone.message());
      notices_.add(columns_[c], fmt::format("cells cannot be read and are empty; {}", remedy_of(c)),
                   static_cast<uint64_t>(left_), [&] { return fmt::format("{}: row {}", path_, given_ + 1); });
      broken_[c] = found = true;
    }
    if (!found) check_status(status, path_);
    std::sort(leaves.begin(), leaves.end());
    batches_ = value_of(reader_->GetRecordBatchReader({group_ - 1}, leaves), path_);
  }

  bool of_duckdb() const { return reader_->parquet_reader()->metadata()->created_by().starts_with("DuckDB"); }
  bool is_list(size_t c) const {
    const auto& file = *reader_->parquet_reader()->metadata()->schema();
    return file.Column(column_leaves_[c][0])->max_repetition_level() > 0;
  }
  std::string_view remedy_of(size_t c) const {
    if (!of_duckdb()) return "is the file complete, and of this format?";
    return is_list(c) ? "in DuckDB, cast an ARRAY to a LIST before it is written, as in vector::FLOAT[]"
                      : "is the file complete? If DuckDB reads it, write it there with PARQUET_VERSION v1";
  }
  [[noreturn]] void fail_at(size_t c, std::string_view why) const {
    fail(ErrorKind::input, "{}: column '{}' cannot be read ({}): {}", path_, columns_[c], why, remedy_of(c));
  }

  arrow::Status read_alone(const std::vector<int>& leaves) {
    ARROW_ASSIGN_OR_RAISE(const auto batches, reader_->GetRecordBatchReader({group_ - 1}, leaves));
    for (;;) {
      ARROW_ASSIGN_OR_RAISE(const auto batch, batches->Next());
      if (!batch) return arrow::Status::OK();
    }
  }

  size_t next_rows(std::vector<columns::Column>& columns) {
    while (left_ == 0)
      if (!start_group()) return 0;
    while (!leaves_.empty() && (!decoded_ || at_ == decoded_->num_rows())) decode();
    int64_t n = std::min(batch_rows_, left_);
    if (decoded_) n = std::min(n, decoded_->num_rows() - at_);
    for (size_t c = 0; c < columns_.size(); ++c) {
      const columns::SourceRows source_rows{notices_, path_, given_};
      try {
        if (flat_[c])
          flat_[c]->read(static_cast<size_t>(n), columns[c], source_rows);
        else
          read_decoded(c, n, columns[c], source_rows);
      } catch (const parquet::ParquetException& error) {
        fail_at(c, error.what());
      }
    }
    at_ += n;
    left_ -= n;
    given_ += static_cast<uint64_t>(n);
    return static_cast<size_t>(n);
  }

  void read_decoded(size_t c, int64_t rows, columns::Column& column, const columns::SourceRows& source_rows) {
    if (broken_[c]) {
      column.clear();
      column.type = columns::ColumnType::texts;
      for (int64_t row = 0; row < rows; ++row) column.push_null();
      return;
    }
    const auto part = decoded_->GetColumnByName(columns_[c])->Slice(at_, rows);
    if (wide_[c])
      read_wide_integers(*part, wide_[c]->is_signed, column);
    else if (coded_ && CodedTexts::can_read(*part->type()))
      coded_texts_[c].read(*part, column, source_rows);
    else
      read_array(*part, column, source_rows);
  }

  std::string path_;
  columns::Notices& notices_;
  int64_t batch_rows_;
  bool coded_, all_;
  std::unique_ptr<parquet::arrow::FileReader> reader_;
  std::unique_ptr<arrow::RecordBatchReader> batches_;  // of one row group
  std::shared_ptr<arrow::RecordBatch> decoded_;
  int64_t at_ = 0;  // the first row of decoded_ that was not returned yet
  // Per column:
  std::vector<std::string> columns_, left_out_;
  std::vector<std::optional<WideColumn>> wide_;
  std::vector<std::vector<int>> column_leaves_;
  std::vector<std::unique_ptr<FlatColumn>> flat_;  // null if Arrow reads the column
  std::vector<CodedTexts> coded_texts_;
  std::vector<bool> broken_;  // in this row group
  std::vector<int> leaves_;   // of the columns that Arrow reads
  int64_t left_ = 0;          // rows of the row group that were not returned yet
  int group_ = 0;             // the next row group
  uint64_t given_ = 0;        // rows returned so far
};

}  // namespace

std::unique_ptr<text::FileReader> open_parquet_file(const text::FileOptions& options) {
  return std::make_unique<ParquetFile>(options);
}

}  // namespace pagoda::formats
