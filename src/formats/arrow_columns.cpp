#include "formats/arrow_columns.h"

#include <arrow/util/decimal.h>
#include <arrow/util/float16.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstring>
#include <utility>

#include "columns/decimal.h"
#include "columns/conversions.h"

namespace pagoda::formats {

namespace {

using arrow::TimeUnit;
using arrow::Type;
using arrow::internal::checked_cast;

enum class Conversion : uint8_t {
  none,
  nan,
  far_time,
  below_us,
  no_text,
  null_element,
  nan_element,
  far_element,
  no_text_element
};
constexpr size_t kLosses = 9;

std::string_view phrase_of(Conversion conversion) {
  switch (conversion) {
    case Conversion::nan: return columns::conversion::kNaN;
    case Conversion::far_time: return columns::conversion::kFarTime;
    case Conversion::below_us: return columns::conversion::kBelowMicrosecond;
    case Conversion::no_text: return columns::conversion::kNoText;
    case Conversion::null_element: return columns::conversion::kNullElement;
    case Conversion::nan_element: return columns::conversion::kNaNElement;
    case Conversion::far_element: return columns::conversion::kFarTimeElement;
    case Conversion::no_text_element: return columns::conversion::kNoTextElement;
    case Conversion::none: break;
  }
  return "";
}

bool empties(Conversion conversion) {
  return conversion == Conversion::nan || conversion == Conversion::far_time || conversion == Conversion::no_text;
}

Conversion inside_list(Conversion conversion) {
  switch (conversion) {
    case Conversion::none: return Conversion::null_element;
    case Conversion::nan: return Conversion::nan_element;
    case Conversion::far_time: return Conversion::far_element;
    case Conversion::no_text: return Conversion::no_text_element;
    default: return conversion;
  }
}

// What conversion changed in which cells of an array, in order.
struct Conversions {
  std::vector<std::pair<size_t, Conversion>> all;

  void add(int64_t row, Conversion conversion) { all.emplace_back(static_cast<size_t>(row), conversion); }
  // Per cell; empty if nothing was changed.
  std::vector<Conversion> by_cell(size_t cells) const {
    std::vector<Conversion> conversions(all.empty() ? 0 : cells, Conversion::none);
    for (const auto& [row, conversion] : all) conversions[row] = conversion;
    return conversions;
  }
  void tell(std::string_view column, const columns::SourceRows& source_rows) const {
    std::array<columns::Tally, kLosses> sums;
    for (const auto& [row, conversion] : all) sums[static_cast<size_t>(conversion)].add(row);
    for (size_t l = 0; l < kLosses; ++l) sums[l].tell(column, phrase_of(static_cast<Conversion>(l)), source_rows);
  }
};

void read(const arrow::Array& array, columns::Column& column, Conversions& conversions);

void read_validity(const arrow::Array& array, columns::Column& column) {
  if (array.null_count() == 0) return;
  column.valid.resize(static_cast<size_t>(array.length()));
  for (int64_t i = 0; i < array.length(); ++i) column.valid[static_cast<size_t>(i)] = array.IsValid(i);
}

void push_text(columns::Column& column, std::string_view text) {
  column.text.push(std::span(text.data(), text.size()));
}

// Pushes text(i) for each cell that is not null. Validity is read later.
template <class F>
void push_texts(const arrow::Array& array, columns::Column& column, columns::ColumnType type, F&& text) {
  column.type = type;
  for (int64_t i = 0; i < array.length(); ++i) {
    if (array.IsValid(i))
      push_text(column, text(i));
    else
      push_text(column, {});
  }
}

template <class ArrayType>
void read_texts_of(const arrow::Array& any, columns::Column& column) {
  const auto& array = checked_cast<const ArrayType&>(any);
  push_texts(array, column, columns::ColumnType::text, [&](int64_t i) { return std::string_view(array.GetView(i)); });
}

// Fixed-width bytes may be a number, a hash, or text.
void read_fixed_bytes(const arrow::Array& any, columns::Column& column, Conversions& conversions) {
  const auto& array = checked_cast<const arrow::FixedSizeBinaryArray&>(any);
  push_texts(array, column, columns::ColumnType::text, [&](int64_t i) {
    const auto text = array.GetView(i);
    const bool plain = std::ranges::none_of(text, [](unsigned char c) { return c < ' ' || c == 0x7f; });
    if (plain && columns::is_utf8(text)) return text;
    conversions.add(i, Conversion::no_text);
    return std::string_view();
  });
}

std::string uuid_text(const uint8_t* bytes) {
  std::string text;
  for (size_t b = 0; b < 16; ++b) {
    if (b == 4 || b == 6 || b == 8 || b == 10) text += '-';
    fmt::format_to(std::back_inserter(text), "{:02x}", bytes[b]);
  }
  return text;
}

template <class ArrayType>
void read_integers_of(const arrow::Array& any, columns::Column& column, columns::ColumnType type) {
  const auto& array = checked_cast<const ArrayType&>(any);
  column.type = type;
  column.integers.resize(static_cast<size_t>(array.length()));
  if constexpr (requires { array.raw_values(); }) {
    if (array.null_count() == 0) {
      std::copy_n(array.raw_values(), array.length(), column.integers.begin());
      return;
    }
  }
  for (int64_t i = 0; i < array.length(); ++i) {
    if (array.IsNull(i)) continue;
    // NOLINTNEXTLINE(bugprone-signed-char-misuse): int8 is a number
    column.integers[static_cast<size_t>(i)] = static_cast<int64_t>(array.Value(i));
  }
}

// Integers if all cells fit int64, else decimals. integer(i): the cell if it fits; text(i): its digits.
template <class Integer, class Text>
void read_exactly(const arrow::Array& array, columns::Column& column, Integer&& integer, Text&& text) {
  column.type = columns::ColumnType::integer;
  column.integers.resize(static_cast<size_t>(array.length()));
  for (int64_t i = 0; i < array.length(); ++i) {
    if (array.IsNull(i)) continue;
    const std::optional<int64_t> value = integer(i);
    if (!value) {
      column.integers.clear();
      return push_texts(array, column, columns::ColumnType::decimal, text);
    }
    column.integers[static_cast<size_t>(i)] = *value;
  }
}

void read_unsigned(const arrow::Array& any, columns::Column& column) {
  const auto& array = checked_cast<const arrow::UInt64Array&>(any);
  read_exactly(
      array, column,
      [&](int64_t i) {
        const uint64_t value = array.Value(i);
        return value <= INT64_MAX ? std::optional(static_cast<int64_t>(value)) : std::nullopt;
      },
      [&](int64_t i) { return fmt::format_int(array.Value(i)).str(); });
}

template <class ArrayType, class Value>
void read_decimals_of(const arrow::Array& any, columns::Column& column) {
  const auto& array = checked_cast<const ArrayType&>(any);
  const int scale = checked_cast<const arrow::DecimalType&>(*array.type()).scale();
  const auto text = [&](int64_t i) {
    return columns::Decimal::parse(Value(array.GetValue(i)).ToString(scale))->text();
  };
  if (scale > 0) return push_texts(array, column, columns::ColumnType::decimal, text);
  read_exactly(
      array, column,
      [&](int64_t i) -> std::optional<int64_t> {
        const Value value(array.GetValue(i));
        if (scale < 0) return columns::Decimal::parse(value.ToString(scale))->as_int64();
        const auto digits = value.ToIntegerString();
        int64_t whole = 0;
        const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), whole);
        return error == std::errc() ? std::optional(whole) : std::nullopt;
      },
      text);
}

template <class F>
void read_reals(const arrow::Array& array, columns::Column& column, Conversions& conversions,
                columns::RealPrecision precision, F&& value) {
  column.type = columns::ColumnType::real;
  column.precision = precision;
  column.reals.resize(static_cast<size_t>(array.length()));
  for (int64_t i = 0; i < array.length(); ++i) {
    if (array.IsNull(i)) continue;
    const double real = value(i);
    if (std::isnan(real))
      conversions.add(i, Conversion::nan);
    else
      column.reals[static_cast<size_t>(i)] = real;
  }
}

// Microseconds are `times` / `over` of the array's values; one of the two is 1.
template <class ArrayType>
void read_times_of(const arrow::Array& any, columns::Column& column, Conversions& conversions, int64_t times,
                   int64_t over = 1) {
  if (times == 1 && over == 1) return read_integers_of<ArrayType>(any, column, columns::ColumnType::time);
  const auto& array = checked_cast<const ArrayType&>(any);
  column.type = columns::ColumnType::time;
  column.integers.resize(static_cast<size_t>(array.length()));
  for (int64_t i = 0; i < array.length(); ++i) {
    if (array.IsNull(i)) continue;
    const int64_t value = array.Value(i);
    int64_t& time = column.integers[static_cast<size_t>(i)];
    if (over > 1) {
      time = value / over - (value % over < 0);
      if (value % over) conversions.add(i, Conversion::below_us);
    } else if (__builtin_mul_overflow(value, times, &time)) {
      time = 0;
      conversions.add(i, Conversion::far_time);
    }
  }
}

void read_timestamps(const arrow::Array& array, columns::Column& column, Conversions& conversions) {
  const auto unit = checked_cast<const arrow::TimestampType&>(*array.type()).unit();
  const int64_t times = unit == TimeUnit::SECOND ? 1000000 : unit == TimeUnit::MILLI ? 1000 : 1;
  read_times_of<arrow::TimestampArray>(array, column, conversions, times, unit == TimeUnit::NANO ? 1000 : 1);
}

int64_t parts_of_a_second(TimeUnit::type unit) {
  switch (unit) {
    case TimeUnit::SECOND: return 1;
    case TimeUnit::MILLI: return 1000;
    case TimeUnit::MICRO: return 1000000;
    default: return 1000000000;
  }
}

// The fraction of a number of `parts`: ".5" for 500 thousandths. The caller writes the whole part.
std::string fraction_text(uint64_t part, int64_t parts) {
  if (part == 0) return "";
  auto digits = std::to_string(static_cast<uint64_t>(parts) + part);  // 1 and all the digits
  digits.erase(digits.find_last_not_of('0') + 1);
  return digits.replace(0, 1, ".");
}

// Durations as exact seconds.
void read_durations(const arrow::Array& any, columns::Column& column) {
  const auto& array = checked_cast<const arrow::DurationArray&>(any);
  const int64_t parts = parts_of_a_second(checked_cast<const arrow::DurationType&>(*array.type()).unit());
  read_exactly(
      array, column,
      [&](int64_t i) { return array.Value(i) % parts ? std::nullopt : std::optional(array.Value(i) / parts); },
      [&](int64_t i) {
        const int64_t value = array.Value(i);
        const uint64_t size = value < 0 ? -static_cast<uint64_t>(value) : static_cast<uint64_t>(value);
        const auto n = static_cast<uint64_t>(parts);
        return fmt::format("{}{}{}", value < 0 ? "-" : "", size / n, fraction_text(size % n, parts));
      });
}

// HH:MM:SS, and a fraction if there is one.
template <class ArrayType>
void read_times_of_day(const arrow::Array& any, columns::Column& column) {
  const auto& array = checked_cast<const ArrayType&>(any);
  const int64_t parts = parts_of_a_second(checked_cast<const arrow::TimeType&>(*array.type()).unit());
  push_texts(array, column, columns::ColumnType::text, [&](int64_t i) {
    const auto value = static_cast<int64_t>(array.Value(i));
    const uint64_t size = value < 0 ? -static_cast<uint64_t>(value) : static_cast<uint64_t>(value);
    const uint64_t seconds = size / static_cast<uint64_t>(parts);
    return fmt::format("{}{:02}:{:02}:{:02}{}", value < 0 ? "-" : "", seconds / 3600, seconds / 60 % 60, seconds % 60,
                       fraction_text(size % static_cast<uint64_t>(parts), parts));
  });
}

// Lists and list views: the elements of one that is not null may lie anywhere in the array of elements.
template <class ListArray>
void read_lists_of(const arrow::Array& any, columns::Column& column, Conversions& conversions) {
  const auto& array = checked_cast<const ListArray&>(any);
  column.type = columns::ColumnType::texts;
  const int64_t n = array.length();
  int64_t first = INT64_MAX, last = 0;
  for (int64_t i = 0; i < n; ++i) {
    if (array.IsNull(i) || array.value_length(i) == 0) continue;
    first = std::min<int64_t>(first, array.value_offset(i));
    last = std::max<int64_t>(last, array.value_offset(i) + array.value_length(i));
  }
  first = std::min(first, last);
  columns::Column elements;
  Conversions lost;
  read(*array.values()->Slice(first, last - first), elements, lost);
  const auto loss_of = lost.by_cell(static_cast<size_t>(last - first));
  std::string scratch;
  for (int64_t i = 0; i < n; ++i) {
    if (array.IsValid(i))
      for (int64_t e = array.value_offset(i); e < array.value_offset(i) + array.value_length(i); ++e) {
        const auto at = static_cast<size_t>(e - first);
        const Conversion conversion = loss_of.empty() ? Conversion::none : loss_of[at];
        if (elements.is_null(at) || conversion != Conversion::none) conversions.add(i, inside_list(conversion));
        if (!elements.is_null(at)) column.push_element(elements.as_text(at, scratch));
      }
    column.element_offsets.push_back(column.elements.size());
  }
}

// Cells that are codes of a list of words: code(i) is that of cell i, below 0 if the cell is null.
template <class F>
void push_words(const arrow::Array& words_array, int64_t cells, columns::Column& column, Conversions& conversions,
                F&& code) {
  columns::Column words;
  Conversions lost;
  read(words_array, words, lost);
  const auto loss_of = lost.by_cell(words.rows());
  column.type = words.type;
  column.precision = words.precision;
  for (int64_t i = 0; i < cells; ++i) {
    const int64_t word = code(i);
    if (word < 0) {
      column.push_null();
      continue;
    }
    column.push_cell(words, static_cast<size_t>(word));
    if (!loss_of.empty() && loss_of[static_cast<size_t>(word)] != Conversion::none)
      conversions.add(i, loss_of[static_cast<size_t>(word)]);
  }
}

void read_dictionary(const arrow::Array& any, columns::Column& column, Conversions& conversions) {
  const auto& array = checked_cast<const arrow::DictionaryArray&>(any);
  push_words(*array.dictionary(), array.length(), column, conversions,
             [&](int64_t i) { return array.IsNull(i) ? -1 : array.GetValueIndex(i); });
}

template <class EndsArray>
void read_runs_of(const arrow::RunEndEncodedArray& array, const arrow::Array& any_ends, columns::Column& column,
                  Conversions& conversions) {
  const auto& ends = checked_cast<const EndsArray&>(any_ends);
  push_words(*array.LogicalValues(), array.length(), column, conversions, [&, run = int64_t{0}](int64_t i) mutable {
    while (ends.Value(run) <= i) ++run;
    return run;
  });
}

void read_runs(const arrow::Array& any, columns::Column& column, Conversions& conversions) {
  const auto& array = checked_cast<const arrow::RunEndEncodedArray&>(any);
  const auto ends = array.LogicalRunEnds(arrow::default_memory_pool()).ValueOrDie();
  switch (ends->type_id()) {
    case Type::INT16: return read_runs_of<arrow::Int16Array>(array, *ends, column, conversions);
    case Type::INT32: return read_runs_of<arrow::Int32Array>(array, *ends, column, conversions);
    default: return read_runs_of<arrow::Int64Array>(array, *ends, column, conversions);
  }
}

void read_extension(const arrow::Array& any, columns::Column& column, Conversions& conversions) {
  const auto& array = checked_cast<const arrow::ExtensionArray&>(any);
  const auto name = checked_cast<const arrow::ExtensionType&>(*array.type()).extension_name();
  const auto& storage = *array.storage();
  if (name == "arrow.uuid") {
    const auto& bytes = checked_cast<const arrow::FixedSizeBinaryArray&>(storage);
    push_texts(array, column, columns::ColumnType::text, [&](int64_t i) { return uuid_text(bytes.GetValue(i)); });
    return read_validity(array, column);
  }
  read(storage, column, conversions);
  if (name == "arrow.bool8") {
    column.type = columns::ColumnType::boolean;
    for (int64_t& flag : column.integers) flag = flag != 0;
  }
}

// Fills the column, which is empty, and its validity.
void read(const arrow::Array& array, columns::Column& column, Conversions& conversions) {
  constexpr auto kInteger = columns::ColumnType::integer;
  switch (array.type_id()) {
    case Type::DICTIONARY: return read_dictionary(array, column, conversions);
    case Type::RUN_END_ENCODED: return read_runs(array, column, conversions);
    case Type::EXTENSION: return read_extension(array, column, conversions);
    case Type::NA:
      column.type = columns::ColumnType::text;
      for (int64_t i = 0; i < array.length(); ++i) column.push_null();
      return;
    case Type::BOOL: read_integers_of<arrow::BooleanArray>(array, column, columns::ColumnType::boolean); break;
    case Type::INT8: read_integers_of<arrow::Int8Array>(array, column, kInteger); break;
    case Type::INT16: read_integers_of<arrow::Int16Array>(array, column, kInteger); break;
    case Type::INT32: read_integers_of<arrow::Int32Array>(array, column, kInteger); break;
    case Type::INT64: read_integers_of<arrow::Int64Array>(array, column, kInteger); break;
    case Type::UINT8: read_integers_of<arrow::UInt8Array>(array, column, kInteger); break;
    case Type::UINT16: read_integers_of<arrow::UInt16Array>(array, column, kInteger); break;
    case Type::UINT32: read_integers_of<arrow::UInt32Array>(array, column, kInteger); break;
    case Type::UINT64: read_unsigned(array, column); break;
    case Type::FLOAT:
      read_reals(array, column, conversions, columns::RealPrecision::f32, [&](int64_t i) {
        return columns::shortest_double(checked_cast<const arrow::FloatArray&>(array).Value(i));
      });
      break;
    case Type::DOUBLE:
      read_reals(array, column, conversions, columns::RealPrecision::f64,
                 [&](int64_t i) { return checked_cast<const arrow::DoubleArray&>(array).Value(i); });
      break;
    case Type::HALF_FLOAT:
      read_reals(array, column, conversions, columns::RealPrecision::f16, [&](int64_t i) {
        const auto bits = checked_cast<const arrow::HalfFloatArray&>(array).Value(i);
        return columns::shortest_double_of_half(arrow::util::Float16::FromBits(bits).ToDouble());
      });
      break;
    case Type::DECIMAL32: read_decimals_of<arrow::Decimal32Array, arrow::Decimal32>(array, column); break;
    case Type::DECIMAL64: read_decimals_of<arrow::Decimal64Array, arrow::Decimal64>(array, column); break;
    case Type::DECIMAL128: read_decimals_of<arrow::Decimal128Array, arrow::Decimal128>(array, column); break;
    case Type::DECIMAL256: read_decimals_of<arrow::Decimal256Array, arrow::Decimal256>(array, column); break;
    case Type::STRING: read_texts_of<arrow::StringArray>(array, column); break;
    case Type::LARGE_STRING: read_texts_of<arrow::LargeStringArray>(array, column); break;
    case Type::STRING_VIEW: read_texts_of<arrow::StringViewArray>(array, column); break;
    case Type::BINARY: read_texts_of<arrow::BinaryArray>(array, column); break;
    case Type::LARGE_BINARY: read_texts_of<arrow::LargeBinaryArray>(array, column); break;
    case Type::BINARY_VIEW: read_texts_of<arrow::BinaryViewArray>(array, column); break;
    case Type::FIXED_SIZE_BINARY: read_fixed_bytes(array, column, conversions); break;
    case Type::TIMESTAMP: read_timestamps(array, column, conversions); break;
    case Type::DATE32: read_times_of<arrow::Date32Array>(array, column, conversions, int64_t{86400} * 1000000); break;
    case Type::DATE64: read_times_of<arrow::Date64Array>(array, column, conversions, 1000); break;
    case Type::TIME32: read_times_of_day<arrow::Time32Array>(array, column); break;
    case Type::TIME64: read_times_of_day<arrow::Time64Array>(array, column); break;
    case Type::DURATION: read_durations(array, column); break;
    case Type::LIST: read_lists_of<arrow::ListArray>(array, column, conversions); break;
    case Type::LARGE_LIST: read_lists_of<arrow::LargeListArray>(array, column, conversions); break;
    case Type::FIXED_SIZE_LIST: read_lists_of<arrow::FixedSizeListArray>(array, column, conversions); break;
    case Type::LIST_VIEW: read_lists_of<arrow::ListViewArray>(array, column, conversions); break;
    case Type::LARGE_LIST_VIEW: read_lists_of<arrow::LargeListViewArray>(array, column, conversions); break;
    default: check(false, "the Arrow type is readable");
  }
  read_validity(array, column);
  for (const auto& [row, conversion] : conversions.all) {
    if (!empties(conversion)) continue;
    if (column.valid.empty()) column.valid.assign(column.rows(), 1);
    column.valid[row] = 0;
  }
}

}  // namespace

void read_array(const arrow::Array& array, columns::Column& column, const columns::SourceRows& source_rows) {
  column.clear();
  Conversions conversions;
  read(array, column, conversions);
  conversions.tell(column.name, source_rows);
}

void read_wide_integers(const arrow::Array& any, bool is_signed, columns::Column& column) {
  column.clear();
  const auto& array = checked_cast<const arrow::FixedSizeBinaryArray&>(any);
  const auto words_of_128 = [&](int64_t i) {
    std::array<uint64_t, 2> value;
    std::memcpy(value.data(), array.GetValue(i), sizeof value);
    return value;
  };
  read_exactly(
      array, column,
      [&](int64_t i) {
        const auto [low, high] = words_of_128(i);
        const auto value = static_cast<int64_t>(low);
        const uint64_t sign = is_signed && value < 0 ? UINT64_MAX : 0;
        const bool fits = high == sign && (value >= 0 || is_signed);
        return fits ? std::optional(value) : std::nullopt;
      },
      [&](int64_t i) {
        const auto [low, high] = words_of_128(i);
        const uint64_t sign = is_signed && static_cast<int64_t>(high) < 0 ? UINT64_MAX : 0;
        return arrow::Decimal256(arrow::Decimal256::LittleEndianArray, {low, high, sign, sign}).ToIntegerString();
      });
  read_validity(array, column);
}

bool CodedTexts::can_read(const arrow::DataType& type) {
  if (type.id() != Type::DICTIONARY) return false;
  const auto& dictionary = checked_cast<const arrow::DictionaryType&>(type);
  const auto words = dictionary.value_type()->id();
  return dictionary.index_type()->id() == Type::INT32 && (words == Type::STRING || words == Type::BINARY);
}

void CodedTexts::read(const arrow::Array& any, columns::Column& column, const columns::SourceRows& source_rows) {
  const auto& array = checked_cast<const arrow::DictionaryArray&>(any);
  if (array.data()->dictionary->GetNullCount() > 0) return read_array(array, column, source_rows);
  column.clear();
  if (array.data()->dictionary != dictionary_) {  // the data: dictionary() makes another array for each slice
    columns::Column words;
    read_array(*array.dictionary(), words, source_rows);
    words_ = std::make_shared<const math::Ragged<char>>(std::move(words.text));
    dictionary_ = array.data()->dictionary;
  }
  column.type = columns::ColumnType::text;
  column.words = words_;
  const auto* codes = array.indices()->data()->GetValues<int32_t>(1);
  column.codes.assign(codes, codes + array.length());
  read_validity(array, column);
}

}  // namespace pagoda::formats
