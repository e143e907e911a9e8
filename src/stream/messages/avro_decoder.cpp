// Reads records of Avro with Avro's C library.
#include <avro.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>

#include "columns/decimal.h"
#include "core/error.h"
#include "stream/messages/avro_bounds.h"
#include "stream/messages/avro_schema.h"
#include "stream/messages/record_decoder.h"
#include "text/json_cell.h"

namespace pagoda::stream {

namespace {

using AvroRowJson = nlohmann::ordered_json;

// What a logical type says about the value of a field.
struct Meaning {
  enum Kind : uint8_t { plain, date, millis, micros, nanos, decimal } kind = plain;
  int64_t scale = 0;  // of a decimal: digits behind the point
};

Meaning meaning_of(const AvroRowJson& type) {
  if (!type.is_object()) return {};
  if (type.contains("type") && type["type"].is_object()) return meaning_of(type["type"]);
  const auto name = type.value("logicalType", AvroRowJson());
  if (name == "date") return {Meaning::date};
  if (name == "timestamp-millis" || name == "local-timestamp-millis") return {Meaning::millis};
  if (name == "timestamp-micros" || name == "local-timestamp-micros") return {Meaning::micros};
  if (name == "timestamp-nanos" || name == "local-timestamp-nanos") return {Meaning::nanos};
  if (name != "decimal") return {};
  const auto scale = type.value("scale", AvroRowJson(0));
  return {Meaning::decimal, scale.is_number_integer() ? scale.get<int64_t>() : 0};
}

// A wanted field of a record, and what each branch of its union means; one if it is no union.
struct Field {
  std::string name;
  size_t index;
  std::vector<Meaning> meanings;

  Meaning meaning(int branch) const {
    const auto b = static_cast<size_t>(branch);
    return b < meanings.size() ? meanings[b] : Meaning();
  }
};

struct AvroDeleter {
  void operator()(avro_obj_t* schema) const { avro_schema_decref(schema); }
  void operator()(avro_value_iface_t* of) const { avro_value_iface_decref(of); }
  void operator()(avro_reader_t_* reader) const { avro_reader_free(reader); }
};
template <class T>
using AvroOwned = std::unique_ptr<T, AvroDeleter>;

void avro_ok(int outcome) {
  if (outcome != 0) fail(ErrorKind::input, "{}", avro_strerror());
}

template <class T>
T number_of(const avro_value_t& value, int (*get)(const avro_value_iface_t*, const void*, T*)) {
  T number{};
  avro_ok(get(value.iface, value.self, &number));
  return number;
}

std::string bytes_of(const avro_value_t& value) {
  const void* bytes = nullptr;
  size_t size = 0;
  avro_ok(avro_value_get_type(&value) == AVRO_FIXED ? avro_value_get_fixed(&value, &bytes, &size)
                                                    : avro_value_get_bytes(&value, &bytes, &size));
  return {static_cast<const char*>(bytes), size};
}

AvroRowJson json_of_avro(const avro_value_t& value) {
  switch (avro_value_get_type(&value)) {
    case AVRO_NULL: return nullptr;
    case AVRO_BOOLEAN: return number_of(value, value.iface->get_boolean) != 0;
    case AVRO_INT32: return number_of(value, value.iface->get_int);
    case AVRO_INT64: return number_of(value, value.iface->get_long);
    case AVRO_FLOAT: return columns::shortest_double(number_of(value, value.iface->get_float));
    case AVRO_DOUBLE: return number_of(value, value.iface->get_double);
    case AVRO_ENUM: return avro_schema_enum_get(avro_value_get_schema(&value), number_of(value, value.iface->get_enum));
    case AVRO_BYTES:
    case AVRO_FIXED: return bytes_of(value);
    case AVRO_STRING: {
      const char* text = nullptr;
      size_t size = 0;  // with the 0 at its end
      avro_ok(avro_value_get_string(&value, &text, &size));
      return std::string(text, size - 1);
    }
    case AVRO_UNION: {
      avro_value_t branch;
      avro_ok(avro_value_get_current_branch(&value, &branch));
      return json_of_avro(branch);
    }
    default: break;
  }
  const bool list = avro_value_get_type(&value) == AVRO_ARRAY;
  auto json = list ? AvroRowJson::array() : AvroRowJson::object();
  size_t size = 0;
  avro_ok(avro_value_get_size(&value, &size));
  for (size_t i = 0; i < size; ++i) {
    avro_value_t element;
    const char* name = nullptr;
    avro_ok(avro_value_get_by_index(&value, i, &element, &name));
    if (list)
      json.push_back(json_of_avro(element));
    else
      json[name] = json_of_avro(element);
  }
  return json;
}

int64_t times(int64_t value, int64_t factor) {
  int64_t product = 0;
  if (__builtin_mul_overflow(value, factor, &product))
    fail(ErrorKind::input, "has a time further from 1970 than 64 bits of microseconds reach");
  return product;
}

// The digits of a big-endian two's complement number, and a point before the last `scale` of them.
std::string decimal_digits(const std::string& bytes, int64_t scale) {
  constexpr size_t kMostDecimalBytes = 16;
  if (bytes.size() > kMostDecimalBytes || scale < 0 || scale > 1000)
    fail(ErrorKind::input, "has a decimal of {} bytes and scale {}; at most {} bytes are read", bytes.size(), scale,
         kMostDecimalBytes);
  auto number = static_cast<unsigned __int128>(!bytes.empty() && (bytes[0] & 0x80) ? -1 : 0);
  for (const char byte : bytes) number = number << 8 | static_cast<unsigned char>(byte);
  const bool negative = static_cast<__int128>(number) < 0;
  if (negative) number = -number;
  std::string digits;
  for (; number > 0; number /= 10)
    digits.insert(digits.begin(), static_cast<char>('0' + static_cast<int>(number % 10)));
  const auto behind = static_cast<size_t>(scale);
  if (digits.size() <= behind) digits.insert(0, behind + 1 - digits.size(), '0');
  if (behind > 0) digits.insert(digits.size() - behind, ".");
  return (negative ? "-" : "") + digits;
}

void set_decimal(text::Cell& cell, const std::string& digits) {
  const auto number = columns::Decimal::parse(digits);
  check(number.has_value(), "digits are a number");
  if (const auto whole = number->as_int64()) return cell.set_integer(*whole);
  cell.set_text(number->text());
  cell.type = columns::ColumnType::decimal;
}

void set(text::Cell& cell, const avro_value_t& value, Meaning meaning) {
  const auto type = avro_value_get_type(&value);
  const bool number = type == AVRO_INT32 || type == AVRO_INT64;
  if (meaning.kind == Meaning::decimal && (type == AVRO_BYTES || type == AVRO_FIXED))
    return set_decimal(cell, decimal_digits(bytes_of(value), meaning.scale));
  if (meaning.kind == Meaning::plain || meaning.kind == Meaning::decimal || !number)
    return text::set_cell(cell, json_of_avro(value));
  const int64_t count =
      type == AVRO_INT32 ? number_of(value, value.iface->get_int) : number_of(value, value.iface->get_long);
  switch (meaning.kind) {
    case Meaning::date: return cell.set_time(times(count, int64_t{86400} * 1000000));
    case Meaning::millis: return cell.set_time(times(count, 1000));
    case Meaning::nanos: return cell.set_time(count / 1000 - (count % 1000 < 0));
    default: return cell.set_time(count);
  }
}

class AvroDecoder : public RecordDecoder {
 public:
  AvroDecoder(const RegisteredSchema& registered, const std::vector<std::string>& columns) {
    const auto json = whole_avro_schema(registered);
    const auto text = json.dump();
    avro_schema_t schema = nullptr;
    if (avro_schema_from_json_length(text.data(), text.size(), &schema) != 0)
      fail(ErrorKind::input, "Avro's library cannot read it: {}", avro_strerror());
    schema_.reset(schema);
    if (json.is_array())
      for (const auto& branch : json) records_.push_back(fields_of(branch, columns));
    else
      records_.push_back(fields_of(json, columns));
    class_.reset(avro_generic_class_from_schema(schema));
    reader_.reset(avro_reader_memory("", 0));
    if (!class_ || !reader_ || avro_generic_value_new(class_.get(), &value_) != 0)
      fail(ErrorKind::input, "Avro's library cannot read it: {}", avro_strerror());
  }
  ~AvroDecoder() override { avro_value_decref(&value_); }
  AvroDecoder(const AvroDecoder&) = delete;
  AvroDecoder& operator=(const AvroDecoder&) = delete;

  void read(std::string_view payload, text::Row& row) override {
    check_avro_bytes(schema_.get(), payload);
    avro_reader_memory_set_source(reader_.get(), payload.data(), static_cast<int64_t>(payload.size()));
    avro_ok(avro_value_read(reader_.get(), &value_));
    avro_value_t record = value_;
    int branch = 0;
    if (avro_value_get_type(&value_) == AVRO_UNION) {
      avro_ok(avro_value_get_discriminant(&value_, &branch));
      avro_ok(avro_value_get_current_branch(&value_, &record));
    }
    if (avro_value_get_type(&record) != AVRO_RECORD)
      fail(ErrorKind::input, "is no record, but a value of another type");
    for (const auto& field : records_[static_cast<size_t>(branch)]) {
      avro_value_t value;
      avro_ok(avro_value_get_by_index(&record, field.index, &value, nullptr));
      int of_union = 0;
      if (avro_value_get_type(&value) == AVRO_UNION) {
        avro_ok(avro_value_get_discriminant(&value, &of_union));
        avro_value_t chosen;
        avro_ok(avro_value_get_current_branch(&value, &chosen));
        value = chosen;
      }
      set(row.add(field.name), value, field.meaning(of_union));
    }
  }

 private:
  static std::vector<Field> fields_of(const AvroRowJson& record, const std::vector<std::string>& columns) {
    std::vector<Field> fields;
    if (!record.is_object() || !record.contains("fields")) return fields;
    size_t index = 0;
    for (const auto& field : record["fields"]) {
      const auto name = field.value("name", std::string());
      if (std::ranges::find(columns, name) != columns.end()) {
        auto& wanted = fields.emplace_back(Field{name, index, {}});
        const auto& type = field["type"];
        if (type.is_array())
          for (const auto& branch : type) wanted.meanings.push_back(meaning_of(branch));
        else
          wanted.meanings.push_back(meaning_of(type));
      }
      ++index;
    }
    return fields;
  }

  AvroOwned<avro_obj_t> schema_;
  AvroOwned<avro_value_iface_t> class_;
  AvroOwned<avro_reader_t_> reader_;
  avro_value_t value_{};
  std::vector<std::vector<Field>> records_;  // the wanted fields; of each branch, if it is a union
};

}  // namespace

std::unique_ptr<RecordDecoder> make_avro_decoder(const RegisteredSchema& schema,
                                                 const std::vector<std::string>& columns) {
  return std::make_unique<AvroDecoder>(schema, columns);
}

}  // namespace pagoda::stream
