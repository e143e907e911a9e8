#include "data/arrow_columns.h"

#include <arrow/util/decimal.h>
#include <arrow/util/float16.h>

#include <algorithm>

#include "core/log.h"
#include "data/file_reader.h"

namespace pagoda {

namespace {

using arrow::Type;
using arrow::internal::checked_cast;

void read_validity(const arrow::Array& array, Column& column) {
  if (array.null_count() == 0) return;
  column.valid.resize(static_cast<size_t>(array.length()));
  for (int64_t i = 0; i < array.length(); ++i) column.valid[static_cast<size_t>(i)] = array.IsValid(i);
}

template <class ArrayType>
void read_texts_of(const arrow::Array& any, Column& column) {
  const auto& array = checked_cast<const ArrayType&>(any);
  column.type = ColumnType::text;
  for (int64_t i = 0; i < array.length(); ++i) {
    const std::string_view text = array.IsValid(i) ? std::string_view(array.GetView(i)) : std::string_view();
    column.text.push(std::span(text.data(), text.size()));
  }
}

template <class ArrayType>
void read_integers_of(const arrow::Array& any, Column& column, ColumnType type, int64_t times = 1, int64_t over = 1) {
  const auto& array = checked_cast<const ArrayType&>(any);
  column.type = type;
  column.integers.resize(static_cast<size_t>(array.length()));
  if constexpr (requires { array.raw_values(); }) {
    if (array.null_count() == 0 && times == 1 && over == 1) {
      std::copy_n(array.raw_values(), array.length(), column.integers.begin());
      return;
    }
  }
  for (int64_t i = 0; i < array.length(); ++i) {
    if (array.IsNull(i)) continue;
    const auto value = static_cast<int64_t>(array.Value(i));  // NOLINT(bugprone-signed-char-misuse): int8 is a number
    column.integers[static_cast<size_t>(i)] = value / over * times - (value % over < 0);
  }
}

void read_unsigned(const arrow::Array& any, Column& column) {
  const auto& array = checked_cast<const arrow::UInt64Array&>(any);
  bool fits = true;
  for (int64_t i = 0; i < array.length(); ++i) fits &= array.IsNull(i) || array.Value(i) <= INT64_MAX;
  if (fits) return read_integers_of<arrow::UInt64Array>(any, column, ColumnType::integer);
  column.type = ColumnType::text;
  for (int64_t i = 0; i < array.length(); ++i) {
    const std::string digits = array.IsValid(i) ? std::to_string(array.Value(i)) : "";
    column.text.push(std::span(digits.data(), digits.size()));
  }
}

template <class F>
void read_reals(const arrow::Array& array, Column& column, F&& value) {
  column.type = ColumnType::real;
  column.reals.resize(static_cast<size_t>(array.length()));
  for (int64_t i = 0; i < array.length(); ++i)
    if (array.IsValid(i)) column.reals[static_cast<size_t>(i)] = value(i);
}

void read_timestamps(const arrow::Array& array, Column& column) {
  using arrow::TimeUnit;
  const auto unit = checked_cast<const arrow::TimestampType&>(*array.type()).unit();
  const int64_t times = unit == TimeUnit::SECOND ? 1000000 : unit == TimeUnit::MILLI ? 1000 : 1;
  read_integers_of<arrow::TimestampArray>(array, column, ColumnType::time, times, unit == TimeUnit::NANO ? 1000 : 1);
}

template <class ListArray>
void read_lists_of(const arrow::Array& any, Column& column) {
  const auto& array = checked_cast<const ListArray&>(any);
  column.type = ColumnType::texts;
  Column elements;
  const int64_t n = array.length(), first = n ? array.value_offset(0) : 0, last = n ? array.value_offset(n) : 0;
  read_array(*array.values()->Slice(first, last - first), elements);
  std::string scratch;
  for (int64_t i = 0; i < n; ++i) {
    if (array.IsValid(i)) {
      for (int64_t e = array.value_offset(i); e < array.value_offset(i) + array.value_length(i); ++e)
        if (const auto at = static_cast<size_t>(e - first); !elements.is_null(at))
          column.push_element(elements.as_text(at, scratch));
    }
    column.element_offsets.push_back(column.elements.size());
  }
}

void read_dictionary(const arrow::Array& any, Column& column) {
  const auto& array = checked_cast<const arrow::DictionaryArray&>(any);
  Column words;
  read_array(*array.dictionary(), words);
  column.type = words.type;
  for (int64_t i = 0; i < array.length(); ++i) {
    if (array.IsNull(i))
      column.push_null();
    else
      column.push_cell(words, static_cast<size_t>(array.GetValueIndex(i)));
  }
}

}  // namespace

bool is_readable(const arrow::DataType& type) {
  switch (type.id()) {
    case Type::NA:
    case Type::BOOL:
    case Type::INT8:
    case Type::INT16:
    case Type::INT32:
    case Type::INT64:
    case Type::UINT8:
    case Type::UINT16:
    case Type::UINT32:
    case Type::UINT64:
    case Type::HALF_FLOAT:
    case Type::FLOAT:
    case Type::DOUBLE:
    case Type::DECIMAL128:
    case Type::STRING:
    case Type::LARGE_STRING:
    case Type::STRING_VIEW:
    case Type::BINARY:
    case Type::LARGE_BINARY:
    case Type::BINARY_VIEW:
    case Type::FIXED_SIZE_BINARY:
    case Type::TIMESTAMP:
    case Type::DATE32:
    case Type::DATE64: return true;
    case Type::DICTIONARY: return is_readable(*checked_cast<const arrow::DictionaryType&>(type).value_type());
    case Type::LIST:
    case Type::LARGE_LIST:
    case Type::FIXED_SIZE_LIST: return is_readable(*type.field(0)->type());
    default: return false;
  }
}

void read_array(const arrow::Array& array, Column& column) {
  constexpr auto kInteger = ColumnType::integer;
  column.clear();
  switch (array.type_id()) {
    case Type::DICTIONARY: return read_dictionary(array, column);
    case Type::NA:
      column.type = ColumnType::text;
      for (int64_t i = 0; i < array.length(); ++i) column.push_null();
      return;
    case Type::BOOL: read_integers_of<arrow::BooleanArray>(array, column, ColumnType::boolean); break;
    case Type::INT8: read_integers_of<arrow::Int8Array>(array, column, kInteger); break;
    case Type::INT16: read_integers_of<arrow::Int16Array>(array, column, kInteger); break;
    case Type::INT32: read_integers_of<arrow::Int32Array>(array, column, kInteger); break;
    case Type::INT64: read_integers_of<arrow::Int64Array>(array, column, kInteger); break;
    case Type::UINT8: read_integers_of<arrow::UInt8Array>(array, column, kInteger); break;
    case Type::UINT16: read_integers_of<arrow::UInt16Array>(array, column, kInteger); break;
    case Type::UINT32: read_integers_of<arrow::UInt32Array>(array, column, kInteger); break;
    case Type::UINT64: read_unsigned(array, column); break;
    case Type::FLOAT:
      read_reals(array, column, [&](int64_t i) { return checked_cast<const arrow::FloatArray&>(array).Value(i); });
      break;
    case Type::DOUBLE:
      read_reals(array, column, [&](int64_t i) { return checked_cast<const arrow::DoubleArray&>(array).Value(i); });
      break;
    case Type::HALF_FLOAT:
      read_reals(array, column, [&](int64_t i) {
        return arrow::util::Float16::FromBits(checked_cast<const arrow::HalfFloatArray&>(array).Value(i)).ToDouble();
      });
      break;
    case Type::DECIMAL128:
      read_reals(array, column, [&](int64_t i) {
        const auto& decimals = checked_cast<const arrow::Decimal128Array&>(array);
        const int scale = checked_cast<const arrow::Decimal128Type&>(*array.type()).scale();
        return arrow::Decimal128(decimals.GetValue(i)).ToDouble(scale);
      });
      break;
    case Type::STRING: read_texts_of<arrow::StringArray>(array, column); break;
    case Type::LARGE_STRING: read_texts_of<arrow::LargeStringArray>(array, column); break;
    case Type::STRING_VIEW: read_texts_of<arrow::StringViewArray>(array, column); break;
    case Type::BINARY: read_texts_of<arrow::BinaryArray>(array, column); break;
    case Type::LARGE_BINARY: read_texts_of<arrow::LargeBinaryArray>(array, column); break;
    case Type::BINARY_VIEW: read_texts_of<arrow::BinaryViewArray>(array, column); break;
    case Type::FIXED_SIZE_BINARY: read_texts_of<arrow::FixedSizeBinaryArray>(array, column); break;
    case Type::TIMESTAMP: read_timestamps(array, column); break;
    case Type::DATE32:
      read_integers_of<arrow::Date32Array>(array, column, ColumnType::time, int64_t{86400} * 1000000);
      break;
    case Type::DATE64: read_integers_of<arrow::Date64Array>(array, column, ColumnType::time, 1000); break;
    case Type::LIST: read_lists_of<arrow::ListArray>(array, column); break;
    case Type::LARGE_LIST: read_lists_of<arrow::LargeListArray>(array, column); break;
    case Type::FIXED_SIZE_LIST: read_lists_of<arrow::FixedSizeListArray>(array, column); break;
    default: check(false, "a column of this Arrow type is not asked for");
  }
  read_validity(array, column);
}

bool CodedTexts::can_read(const arrow::DataType& type) {
  if (type.id() != Type::DICTIONARY) return false;
  const auto& dictionary = checked_cast<const arrow::DictionaryType&>(type);
  const auto words = dictionary.value_type()->id();
  return dictionary.index_type()->id() == Type::INT32 && (words == Type::STRING || words == Type::BINARY);
}

void CodedTexts::read(const arrow::Array& any, Column& column) {
  column.clear();
  const auto& array = checked_cast<const arrow::DictionaryArray&>(any);
  if (array.data()->dictionary != dictionary_) {  // the data: dictionary() makes another array for each slice
    Column words;
    read_array(*array.dictionary(), words);
    words_ = std::make_shared<const Ragged<char>>(std::move(words.text));
    dictionary_ = array.data()->dictionary;
  }
  column.type = ColumnType::text;
  column.words = words_;
  const auto* codes = array.indices()->data()->GetValues<int32_t>(1);
  column.codes.assign(codes, codes + array.length());
  read_validity(array, column);
}

std::vector<size_t> readable_columns(const std::string& path, const arrow::Schema& schema,
                                     const std::vector<std::string>& wanted) {
  std::vector<size_t> chosen;
  const auto present = schema.field_names();
  if (!wanted.empty()) {
    chosen = select_columns(path, present, wanted);
  } else {
    for (size_t f = 0; f < present.size(); ++f) chosen.push_back(f);
    select_columns(path, present, present);
  }
  std::erase_if(chosen, [&](size_t f) {
    const auto& type = *schema.field(static_cast<int>(f))->type();
    if (is_readable(type)) return false;
    if (!wanted.empty())
      fail(ErrorKind::input,
           "{}: column '{}' is of type {}, which can not be read; expected numbers, text, times or a list of these",
           path, present[f], type.ToString());
    log_warning("{}: column '{}' of type {} is left out", path, present[f], type.ToString());
    return true;
  });
  return chosen;
}

std::shared_ptr<arrow::Schema> arrow_schema(const std::vector<ColumnSpec>& columns) {
  arrow::FieldVector fields;
  for (const auto& column : columns) {
    std::shared_ptr<arrow::DataType> type;
    switch (column.type) {
      case ColumnType::text:
      case ColumnType::decimal: type = arrow::utf8(); break;
      case ColumnType::integer: type = arrow::int64(); break;
      case ColumnType::real: type = arrow::float64(); break;
      case ColumnType::boolean: type = arrow::boolean(); break;
      case ColumnType::time: type = arrow::timestamp(arrow::TimeUnit::MICRO, "UTC"); break;
      case ColumnType::texts: type = arrow::list(arrow::utf8()); break;
    }
    fields.push_back(arrow::field(column.name, type));
  }
  return arrow::schema(fields);
}

namespace {

// Our memory fails only when there is none left.
void must(const arrow::Status& status) {
  if (!status.ok()) fail(ErrorKind::failed, "{}", status.message());
}

template <class Builder, class F>
std::shared_ptr<arrow::Array> build(Builder& builder, const Column& column, F&& append) {
  for (size_t r = 0; r < column.rows(); ++r) must(column.is_null(r) ? builder.AppendNull() : append(r));
  std::shared_ptr<arrow::Array> array;
  must(builder.Finish(&array));
  return array;
}

std::string_view chars(std::span<const char> s) { return {s.data(), s.size()}; }

std::shared_ptr<arrow::Array> arrow_array(const std::shared_ptr<arrow::DataType>& type, const Column& column) {
  auto* pool = arrow::default_memory_pool();
  switch (column.type) {
    case ColumnType::text:
    case ColumnType::decimal: {
      arrow::StringBuilder builder(type, pool);
      return build(builder, column, [&](size_t r) { return builder.Append(chars(column.text[r])); });
    }
    case ColumnType::integer: {
      arrow::Int64Builder builder(type, pool);
      return build(builder, column, [&](size_t r) { return builder.Append(column.integers[r]); });
    }
    case ColumnType::time: {
      arrow::TimestampBuilder builder(type, pool);
      return build(builder, column, [&](size_t r) { return builder.Append(column.integers[r]); });
    }
    case ColumnType::boolean: {
      arrow::BooleanBuilder builder(type, pool);
      return build(builder, column, [&](size_t r) { return builder.Append(column.integers[r] != 0); });
    }
    case ColumnType::real: {
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

}  // namespace

std::shared_ptr<arrow::RecordBatch> arrow_batch(const std::shared_ptr<arrow::Schema>& schema, const RawBatch& batch) {
  arrow::ArrayVector arrays;
  for (size_t c = 0; c < batch.columns.size(); ++c)
    arrays.push_back(arrow_array(schema->field(static_cast<int>(c))->type(), batch.columns[c]));
  return arrow::RecordBatch::Make(schema, static_cast<int64_t>(batch.rows), std::move(arrays));
}

}  // namespace pagoda
