#include "formats/parquet_flat.h"

#include <parquet/column_reader.h>
#include <parquet/exception.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

#include "columns/decimal.h"
#include "columns/conversions.h"
#include "math/simd_dispatch.h"

namespace pagoda::formats {

namespace {

using arrow::internal::checked_cast;

// The definition levels of a column that is not nested: they say whether a row has a value.
class Levels {
 public:
  explicit Levels(int16_t most) : max_level_(most) {}

  // Calls read_some(rows left, levels, values before, &values read) until it has read `rows` rows, and after each call
  // taken(rows, values) with the numbers of that call.
  template <class ReadSome, class Taken>
  void read(size_t rows, ReadSome read_some, Taken taken) {
    if (max_level_ > 0) levels_.resize(rows);
    for (size_t row = 0, value = 0; row < rows;) {
      int16_t* const levels = max_level_ > 0 ? levels_.data() + row : nullptr;
      int64_t read = 0;
      const auto got = static_cast<size_t>(read_some(static_cast<int64_t>(rows - row), levels, value, &read));
      const auto values = static_cast<size_t>(read);
      const auto expected = levels ? static_cast<size_t>(std::count(levels, levels + got, max_level_)) : got;
      if (got == 0 || got > rows - row || values != expected)
        throw parquet::ParquetException("a column has fewer values than rows");
      taken(row, got, value, values);
      row += got;
      value += values;
    }
  }

  bool has_value(size_t row) const { return levels_[row] == max_level_; }

  // Moves the first `values` cells, which lie densely, to the rows that have a value; the other cells become T{}.
  template <class T>
  void spread(size_t values, std::vector<T>& cells, std::vector<uint8_t>& valid) const {
    const size_t rows = cells.size();
    if (values == rows) return;
    valid.assign(rows, 0);
    for (size_t row = rows; row-- > 0;) {
      valid[row] = has_value(row);
      cells[row] = valid[row] ? cells[--values] : T{};
    }
  }

 private:
  int16_t max_level_;
  std::vector<int16_t> levels_;
};

PAGODA_INLINE uint32_t largest(std::span<const uint32_t> codes) {
  uint32_t most = 0;
  for (const uint32_t code : codes) most = std::max(most, code);
  return most;
}

// Makes a cell null.
template <class T>
void empty_cell(size_t row, std::vector<T>& cells, std::vector<uint8_t>& valid) {
  if (valid.empty()) valid.assign(cells.size(), 1);
  valid[row] = 0;
  cells[row] = T{};
}

// Cell: the type in which a Column holds the value.
template <class Physical, class Cell>
class NumberColumn : public FlatColumn {
 public:
  using Value = typename Physical::c_type;

  NumberColumn(int leaf, int16_t most_level, columns::ColumnType type, std::vector<Cell> columns::Column::* cells)
      : leaf_(leaf), levels_(most_level), type_(type), cells_(cells) {}

  void start(parquet::RowGroupReader& group) override { reader_ = group.Column(leaf_); }

  void read(size_t rows, columns::Column& column, const columns::SourceRows& source_rows) override {
    column.clear();
    column.type = type_;
    auto& cells = column.*cells_;
    cells.resize(rows);
    Value* to = nullptr;
    if constexpr (std::is_same_v<Value, Cell>)
      to = cells.data();
    else {
      other_.resize(rows);
      to = other_.data();
    }
    auto& reader = checked_cast<parquet::TypedColumnReader<Physical>&>(*reader_);
    size_t values = 0;
    levels_.read(
        rows,
        [&](int64_t left, int16_t* levels, size_t before, int64_t* read) {
          return reader.ReadBatch(left, levels, nullptr, to + before, read);
        },
        [&](size_t, size_t, size_t, size_t more) { values += more; });
    if constexpr (std::is_same_v<Value, float>)
      std::transform(to, to + values, cells.begin(), columns::shortest_double);
    else if constexpr (std::is_arithmetic_v<Value> && !std::is_same_v<Value, Cell>)
      std::copy_n(to, values, cells.begin());
    if constexpr (std::is_arithmetic_v<Value>)
      levels_.spread(values, cells, column.valid);
    else
      levels_.spread(values, other_, column.valid);
    finish(column, cells, source_rows);
  }

 protected:
  // Called when the cells are at their rows: converts them to what a Column holds, if that is more than a cast.
  virtual void finish(columns::Column& column, std::vector<Cell>& cells, const columns::SourceRows& source_rows) {
    if constexpr (std::is_floating_point_v<Cell>) {
      column.precision = std::is_same_v<Value, float> ? columns::RealPrecision::f32 : columns::RealPrecision::f64;
      if (std::ranges::none_of(cells, [](Cell cell) { return cell != cell; })) return;
      columns::Tally nans;
      for (size_t row = 0; row < cells.size(); ++row)
        if (std::isnan(cells[row])) {
          nans.add(row);
          empty_cell(row, cells, column.valid);
        }
      nans.tell(column.name, columns::conversion::kNaN, source_rows);
    }
  }

  std::vector<Value> other_;  // the values, if they have another type than the cells

 private:
  int leaf_;
  Levels levels_;
  columns::ColumnType type_;
  std::vector<Cell> columns::Column::* cells_;
  std::shared_ptr<parquet::ColumnReader> reader_;
};

// Microseconds are `times` / `over` of the stored value; one of the two is 1.
class TimeColumn : public NumberColumn<parquet::Int64Type, int64_t> {
 public:
  TimeColumn(int leaf, int16_t most_level, int64_t times, int64_t over)
      : NumberColumn(leaf, most_level, columns::ColumnType::time, &columns::Column::integers), times_(times),
        over_(over) {}

 protected:
  void finish(columns::Column& column, std::vector<int64_t>& cells, const columns::SourceRows& source_rows) override {
    columns::Tally rounded, far;
    if (over_ != 1)
      for (size_t row = 0; row < cells.size(); ++row) {
        const int64_t value = cells[row], rest = value % over_;
        cells[row] = value / over_ - (rest < 0);
        if (rest) rounded.add(row);
      }
    else if (times_ != 1)
      for (size_t row = 0; row < cells.size(); ++row)
        if (__builtin_mul_overflow(cells[row], times_, &cells[row])) far.add(row), empty_cell(row, cells, column.valid);
    rounded.tell(column.name, columns::conversion::kBelowMicrosecond, source_rows);
    far.tell(column.name, columns::conversion::kFarTime, source_rows);
  }

 private:
  int64_t times_, over_;
};

// Julian day numbers and nanoseconds of the day. They reach further than the 64 bits of nanoseconds into which Arrow
// would convert them.
class Int96Column : public NumberColumn<parquet::Int96Type, int64_t> {
 public:
  Int96Column(int leaf, int16_t most_level)
      : NumberColumn(leaf, most_level, columns::ColumnType::time, &columns::Column::integers) {}

 protected:
  void finish(columns::Column& column, std::vector<int64_t>& cells, const columns::SourceRows& source_rows) override {
    columns::Tally rounded, far;
    for (size_t row = 0; row < cells.size(); ++row) {
      if (column.is_null(row)) continue;
      int64_t nanoseconds = 0;
      std::memcpy(&nanoseconds, other_[row].value.data(), sizeof nanoseconds);
      const int64_t days = static_cast<int32_t>(other_[row].value[2]) - parquet::kJulianToUnixEpochDays;
      const int64_t rest = nanoseconds % 1000, microseconds = nanoseconds / 1000 - (rest < 0);
      int64_t& time = cells[row];
      if (__builtin_mul_overflow(days, parquet::kMicrosecondsPerDay, &time) ||
          __builtin_add_overflow(time, microseconds, &time)) {
        far.add(row);
        empty_cell(row, cells, column.valid);
      } else if (rest)
        rounded.add(row);
    }
    rounded.tell(column.name, columns::conversion::kBelowMicrosecond, source_rows);
    far.tell(column.name, columns::conversion::kFarTime, source_rows);
  }
};

class TextColumn : public FlatColumn {
 public:
  TextColumn(int leaf, int16_t most_level) : leaf_(leaf), levels_(most_level) {}

  void start(parquet::RowGroupReader& group) override {
    reader_ = group.ColumnWithExposeEncoding(leaf_, parquet::ExposedEncoding::DICTIONARY);
    words_ = nullptr;
  }

  void read(size_t rows, columns::Column& column, const columns::SourceRows&) override {
    column.clear();
    column.type = columns::ColumnType::text;
    auto& reader = checked_cast<parquet::ByteArrayReader&>(*reader_);
    if (reader.GetExposedEncoding() == parquet::ExposedEncoding::DICTIONARY)
      read_codes(reader, rows, column);
    else
      read_texts(reader, rows, column);
  }

 private:
  void read_codes(parquet::ByteArrayReader& reader, size_t rows, columns::Column& column) {
    column.codes.resize(rows);
    auto* const codes = reinterpret_cast<int32_t*>(column.codes.data());
    size_t values = 0;
    levels_.read(
        rows,
        [&](int64_t left, int16_t* levels, size_t before, int64_t* read) {
          const parquet::ByteArray* words = nullptr;
          int32_t count = 0;
          const int64_t got =
              reader.ReadBatchWithDictionary(left, levels, nullptr, codes + before, read, &words, &count);
          if (!words_) take_words({words, static_cast<size_t>(count)});
          return got;
        },
        [&](size_t, size_t, size_t, size_t more) { values += more; });
    if (values > 0 && math::simd_call<largest>(std::span(column.codes).first(values)) >= words_->size())
      throw parquet::ParquetException("a code beyond its dictionary");
    levels_.spread(values, column.codes, column.valid);
    column.words = words_;
  }

  void take_words(std::span<const parquet::ByteArray> words) {
    auto taken = std::make_shared<math::Ragged<char>>();
    size_t bytes = 0;
    for (const auto& word : words) bytes += word.len;
    taken->values.reserve(bytes);
    taken->offsets.reserve(words.size() + 1);
    for (const auto& word : words) taken->push({reinterpret_cast<const char*>(word.ptr), word.len});
    words_ = std::move(taken);
  }

  void read_texts(parquet::ByteArrayReader& reader, size_t rows, columns::Column& column) {
    texts_.resize(rows);
    bool holes = false;
    levels_.read(
        rows,
        [&](int64_t left, int16_t* levels, size_t, int64_t* read) {
          return reader.ReadBatch(left, levels, nullptr, texts_.data(), read);
        },
        [&](size_t row, size_t more_rows, size_t, size_t more) {  // the texts are valid until more of them are read
          const parquet::ByteArray* text = texts_.data();
          if (more < more_rows && !std::exchange(holes, true)) column.valid.assign(row, 1);
          for (size_t r = row; r < row + more_rows; ++r) {
            const bool there = more == more_rows || levels_.has_value(r);
            const auto bytes =
                there ? std::span(reinterpret_cast<const char*>(text->ptr), text->len) : std::span<const char>();
            text += there;
            column.text.push(bytes);
            if (holes) column.valid.push_back(there);
          }
        });
  }

  int leaf_;
  Levels levels_;
  std::shared_ptr<parquet::ColumnReader> reader_;
  std::shared_ptr<const math::Ragged<char>> words_;  // of the group, once one of its pages was read
  std::vector<parquet::ByteArray> texts_;
};

// Microseconds are times / over of the unit; null if the file's unit is not the one that Arrow says.
std::unique_ptr<FlatColumn> time_column(const parquet::ColumnDescriptor& column, int leaf, arrow::TimeUnit::type unit) {
  using Unit = parquet::LogicalType::TimeUnit;
  if (!column.logical_type()->is_timestamp()) return nullptr;
  const auto of_file = checked_cast<const parquet::TimestampLogicalType&>(*column.logical_type()).time_unit();
  const auto make = [&](int64_t times, int64_t over) {
    return std::make_unique<TimeColumn>(leaf, column.max_definition_level(), times, over);
  };
  if (unit == arrow::TimeUnit::MILLI && of_file == Unit::MILLIS) return make(1000, 1);
  if (unit == arrow::TimeUnit::MICRO && of_file == Unit::MICROS) return make(1, 1);
  if (unit == arrow::TimeUnit::NANO && of_file == Unit::NANOS) return make(1, 1000);
  return nullptr;
}

bool holds_text(const arrow::DataType& type) {
  switch (type.id()) {
    case arrow::Type::STRING:
    case arrow::Type::LARGE_STRING:
    case arrow::Type::BINARY:
    case arrow::Type::LARGE_BINARY: return true;
    case arrow::Type::DICTIONARY: return holds_text(*checked_cast<const arrow::DictionaryType&>(type).value_type());
    default: return false;
  }
}

}  // namespace

std::unique_ptr<FlatColumn> flat_column(const parquet::SchemaDescriptor& schema, int leaf,
                                        const arrow::DataType& type) {
  const auto& column = *schema.Column(leaf);
  const int16_t most = column.max_definition_level();
  if (column.max_repetition_level() > 0 || most > 1) return nullptr;
  const auto physical = column.physical_type();
  const auto is = [&](arrow::Type::type id, parquet::Type::type in_file) {
    return type.id() == id && physical == in_file;
  };
  if (is(arrow::Type::INT64, parquet::Type::INT64))
    return std::make_unique<NumberColumn<parquet::Int64Type, int64_t>>(leaf, most, columns::ColumnType::integer,
                                                                       &columns::Column::integers);
  if (is(arrow::Type::INT32, parquet::Type::INT32))
    return std::make_unique<NumberColumn<parquet::Int32Type, int64_t>>(leaf, most, columns::ColumnType::integer,
                                                                       &columns::Column::integers);
  if (is(arrow::Type::DOUBLE, parquet::Type::DOUBLE))
    return std::make_unique<NumberColumn<parquet::DoubleType, double>>(leaf, most, columns::ColumnType::real,
                                                                       &columns::Column::reals);
  if (is(arrow::Type::FLOAT, parquet::Type::FLOAT))
    return std::make_unique<NumberColumn<parquet::FloatType, double>>(leaf, most, columns::ColumnType::real,
                                                                      &columns::Column::reals);
  if (is(arrow::Type::TIMESTAMP, parquet::Type::INT64))
    return time_column(column, leaf, checked_cast<const arrow::TimestampType&>(type).unit());
  if (is(arrow::Type::TIMESTAMP, parquet::Type::INT96)) return std::make_unique<Int96Column>(leaf, most);
  if (holds_text(type) && physical == parquet::Type::BYTE_ARRAY) return std::make_unique<TextColumn>(leaf, most);
  return nullptr;
}

}  // namespace pagoda::formats
