#include "data/vector_parquet.h"

#include <arrow/io/file.h>
#include <parquet/arrow/reader.h>
#include <parquet/arrow/schema.h>
#include <parquet/arrow/writer.h>

#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

#include "columns/decimal.h"
#include "columns/ids.h"
#include "core/file.h"
#include "core/suggest.h"
#include "data/id_overlap.h"
#include "formats/arrow_columns.h"
#include "formats/parquet_open.h"
#include "formats/reader.h"
#include "math/rows_view.h"

namespace pagoda::data {

namespace {

using arrow::Type;
using arrow::internal::checked_cast;

bool is_vector(const arrow::DataType& type) {
  if (type.id() == Type::EXTENSION) {
    const auto& extension = checked_cast<const arrow::ExtensionType&>(type);
    return extension.extension_name() == "arrow.fixed_shape_tensor" && is_vector(*extension.storage_type());
  }
  if (type.id() != Type::LIST && type.id() != Type::LARGE_LIST && type.id() != Type::FIXED_SIZE_LIST) return false;
  const auto element = type.field(0)->type()->id();
  return element == Type::HALF_FLOAT || element == Type::FLOAT || element == Type::DOUBLE;
}

// The types in which an id is usually stored; columns of other types are only taken by name.
bool is_usual_id(const arrow::DataType& type) {
  switch (type.id()) {
    case Type::STRING:
    case Type::LARGE_STRING:
    case Type::STRING_VIEW: return true;
    case Type::EXTENSION: return checked_cast<const arrow::ExtensionType&>(type).extension_name() == "arrow.uuid";
    case Type::DICTIONARY: return is_usual_id(*checked_cast<const arrow::DictionaryType&>(type).value_type());
    default: return arrow::is_integer(type.id()) || arrow::is_decimal(type.id());
  }
}

using Names = std::vector<std::string>;

bool has(const Names& names, const std::string& name) { return std::ranges::find(names, name) != names.end(); }

// The column that was asked for; otherwise the only candidate, or the first with a conventional name; "": there is
// none.
std::string choose(const std::string& path, const std::string& what, const std::string& flag, const std::string& wanted,
                   const Names& all, const Names& possible, const std::vector<Names>& usual) {
  if (!wanted.empty()) {
    if (!has(all, wanted)) fail(ErrorKind::usage, "{}: has no column '{}'{}", path, wanted, suggestion(wanted, all));
    return wanted;
  }
  for (const auto& names : usual) {  // the better ones first
    Names found;
    for (const auto& name : names)
      if (has(all, name)) found.push_back(name);
    if (found.size() == 1) return found[0];
    if (found.size() > 1)
      fail(ErrorKind::input, "{}: which column holds the {} is not clear: {}; name it with {}", path, what,
           examples_of(found), flag);
  }
  if (possible.size() > 1)
    fail(ErrorKind::input, "{}: which column holds the {} is not clear: {}; name it with {}", path, what,
         examples_of(possible), flag);
  return possible.empty() ? "" : possible[0];
}

// Reads the ids as those of a table.
Names read_ids(const std::string& path, const std::string& column) {
  const auto reader = formats::open_reader({.paths = {path}, .format = files::Format::parquet, .columns = {column}});
  Names ids;
  columns::Notices notices;
  columns::RawBatch batch;
  std::string scratch;
  while (reader->next(batch)) {
    if (batch.columns[0].type == columns::ColumnType::texts)
      fail(ErrorKind::usage, "{}: column '{}' holds lists, not ids", path, column);
    columns::count_rounded_ids(batch.columns[0], notices,
                               [&](size_t row) { return reader->place(batch.file, batch.first_record + row); });
    for (size_t row = 0; row < batch.rows; ++row) {
      const auto id = batch.columns[0].as_text(row, scratch);
      if (id.empty())
        fail(ErrorKind::input, "{}: row {} (from 0) has no id in column '{}'; leave it out", path, ids.size(), column);
      ids.emplace_back(id);
    }
  }
  notices.add(reader->notices());
  notices.say();
  return ids;
}

// Appends rows of vectors to a matrix whose number of rows is known from the file's footer.
class VectorRows {
 public:
  VectorRows(const std::string& path, const std::string& column, size_t rows)
      : path_(path), column_(column), rows_(rows) {}

  void append(const arrow::Array& array) {
    switch (array.type_id()) {
      case Type::EXTENSION: return append(*checked_cast<const arrow::ExtensionArray&>(array).storage());
      case Type::LIST: return append_lists(checked_cast<const arrow::ListArray&>(array));
      case Type::LARGE_LIST: return append_lists(checked_cast<const arrow::LargeListArray&>(array));
      default: return append_lists(checked_cast<const arrow::FixedSizeListArray&>(array));
    }
  }
  math::Matrix<float> take() {
    if (at_ != rows_) fail(ErrorKind::input, "{}: {} rows, but its footer says {}: write it again", path_, at_, rows_);
    return std::move(values_);
  }

 private:
  template <class Lists>
  void append_lists(const Lists& lists) {
    const auto& elements = *lists.values();
    for (int64_t i = 0; i < lists.length(); ++i, ++at_) {
      if (lists.IsNull(i)) fail(ErrorKind::input, "{}: row {} (from 0) has no {}; leave it out", path_, at_, column_);
      const auto begin = static_cast<int64_t>(lists.value_offset(i)), n = static_cast<int64_t>(lists.value_length(i));
      if (at_ == 0) {
        if (n == 0) fail(ErrorKind::input, "{}: the {} of row 0 is empty", path_, column_);
        values_.resize(rows_, static_cast<size_t>(n));
      }
      if (at_ >= rows_ || static_cast<size_t>(n) != values_.cols())
        fail(ErrorKind::input,
             "{}: the {} of row {} (from 0) has {} components, those before it {}: all must have equally many", path_,
             column_, at_, n, values_.cols());
      float* row = values_[at_];
      for (int64_t c = 0; c < n; ++c)
        if (elements.IsNull(begin + c))
          fail(ErrorKind::input, "{}: component {} of row {} (both from 0) is null, expected a number", path_, c, at_);
      if (elements.type_id() == Type::FLOAT)
        std::copy_n(checked_cast<const arrow::FloatArray&>(elements).raw_values() + begin, n, row);
      else if (elements.type_id() == Type::HALF_FLOAT)
        math::widen_f16(checked_cast<const arrow::HalfFloatArray&>(elements).raw_values() + begin,
                        static_cast<size_t>(n), row);
      else
        for (int64_t c = 0; c < n; ++c)
          row[c] = static_cast<float>(checked_cast<const arrow::DoubleArray&>(elements).Value(begin + c));
      check_finite(path_, at_, {row, static_cast<size_t>(n)});
    }
  }

  std::string path_, column_;
  size_t rows_, at_ = 0;
  math::Matrix<float> values_;
};

}  // namespace

Vectors read_parquet_vectors(const std::string& path, const VectorColumns& columns) {
  const auto opened = formats::open_parquet(path, [](const auto&, parquet::ArrowReaderProperties& properties) {
    properties.set_use_threads(false);
    properties.set_batch_size(1 << 14);
  });
  const auto& reader = opened.reader;
  std::shared_ptr<arrow::Schema> schema;
  formats::check_status(reader->GetSchema(&schema), path);

  Names all, vectors, ids;
  for (const auto& field : schema->fields()) {
    all.push_back(field->name());
    if (is_vector(*field->type())) vectors.push_back(field->name());
    if (is_usual_id(*field->type())) ids.push_back(field->name());
  }
  const auto vector = choose(path, "vectors", "--vector", columns.vector, all, vectors, {{"vector", "embedding"}});
  if (!has(vectors, vector))
    fail(ErrorKind::input, "{}: {}; its columns are {}", path,
         vector.empty() ? "no column of lists of floats"
                        : fmt::format("column '{}' does not hold lists of floats, but {}", vector,
                                      schema->GetFieldByName(vector)->type()->ToString()),
         fmt::format("{}", fmt::join(all, ", ")));
  const auto id =
      columns.ids ? choose(path, "ids", "--id", columns.id, all, ids, {{columns.default_id}, {"item", "user", "id"}})
                  : std::string();

  std::vector<int> leaves, groups;
  const auto at = static_cast<size_t>(std::ranges::find(all, vector) - all.begin());
  formats::collect_leaves(reader->manifest().schema_fields[at], leaves);
  for (int g = 0; g < reader->num_row_groups(); ++g) groups.push_back(g);
  Vectors out;
  const auto rows = static_cast<size_t>(reader->parquet_reader()->metadata()->num_rows());
  if (rows == 0) fail(ErrorKind::input, "{}: holds no vectors", path);
  VectorRows values(path, vector, rows);
  const auto batches = formats::value_of(reader->GetRecordBatchReader(groups, leaves), path);
  while (const auto batch = formats::value_of(batches->Next(), path)) values.append(*batch->column(0));
  out.values = values.take();
  out.vector_column = vector;
  if (!id.empty()) {
    out.ids = read_ids(path, id);
    out.id_column = id;
  }
  return out;
}

void write_parquet_vectors(const std::string& path, math::MatrixView<const float> values,
                           const std::vector<std::string>& ids, const std::string& id_name, bool integer_ids) {
  constexpr size_t kBlockRows = 1 << 14;
  // A component whose field may not be null needs no validity bits.
  const auto element = arrow::field("element", arrow::float32(), /*nullable=*/false);
  const auto type = arrow::fixed_size_list(element, static_cast<int32_t>(values.cols()));
  arrow::FieldVector fields;
  if (!ids.empty()) fields.push_back(arrow::field(id_name, integer_ids ? arrow::int64() : arrow::utf8(), integer_ids));
  fields.push_back(arrow::field("vector", type, false));
  const auto schema = arrow::schema(fields);

  AtomicFile file(path);
  const auto must = [&](const arrow::Status& status) {
    if (!status.ok())
      fail(ErrorKind::failed, "{}: writing failed: {}; free some space or write elsewhere", path,
           status.ToStringWithoutContextLines());
  };
  const auto sink = arrow::io::FileOutputStream::Open(file.temporary_path());
  must(sink.status());
  const auto properties =
      parquet::WriterProperties::Builder().compression(parquet::Compression::ZSTD)->disable_dictionary()->build();
  auto opened = parquet::arrow::FileWriter::Open(*schema, arrow::default_memory_pool(), *sink, properties,
                                                 parquet::ArrowWriterProperties::Builder().store_schema()->build());
  must(opened.status());
  for (size_t begin = 0; begin < values.rows(); begin += kBlockRows) {
    const size_t n = std::min(kBlockRows, values.rows() - begin);
    arrow::ArrayVector arrays;
    if (integer_ids && !ids.empty()) {
      arrow::Int64Builder builder;
      for (size_t i = 0; i < n; ++i) {
        const auto id = columns::canonical_int64(ids[begin + i]);
        must(id ? builder.Append(*id) : builder.AppendNull());
      }
      arrays.emplace_back();
      must(builder.Finish(&arrays.back()));
    } else if (!ids.empty()) {
      arrow::StringBuilder builder;
      for (size_t i = 0; i < n; ++i) must(builder.Append(ids[begin + i]));
      arrays.emplace_back();
      must(builder.Finish(&arrays.back()));
    }
    arrow::FloatBuilder builder;
    for (size_t i = 0; i < n; ++i) must(builder.AppendValues(values[begin + i], static_cast<int64_t>(values.cols())));
    std::shared_ptr<arrow::Array> elements;
    must(builder.Finish(&elements));
    arrays.push_back(std::make_shared<arrow::FixedSizeListArray>(type, static_cast<int64_t>(n), elements));
    must((*opened)->WriteRecordBatch(*arrow::RecordBatch::Make(schema, static_cast<int64_t>(n), arrays)));
  }
  must((*opened)->Close());
  must((*sink)->Close());
  file.commit();
}

}  // namespace pagoda::data
