// Reads messages of Protobuf whose schema is compiled here, by reflection.
#include <google/protobuf/compiler/importer.h>
#include <google/protobuf/descriptor.h>
#include <google/protobuf/descriptor_database.h>
#include <google/protobuf/dynamic_message.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <google/protobuf/stubs/logging.h>
#include <google/protobuf/timestamp.pb.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <utility>

#include "columns/decimal.h"
#include "core/error.h"
#include "stream/messages/record_decoder.h"
#include "text/json_cell.h"

namespace pagoda::stream {

namespace {

namespace protobuf = google::protobuf;
using ProtobufJson = nlohmann::ordered_json;
using Kind = protobuf::FieldDescriptor::CppType;

constexpr const char* kMainFile = "pagoda_schema_of_message.proto";

// The files of a schema, in memory.
class Files : public protobuf::compiler::SourceTree {
 public:
  explicit Files(const RegisteredSchema& schema) : texts_(schema.references.begin(), schema.references.end()) {
    texts_[kMainFile] = schema.text;
  }
  protobuf::io::ZeroCopyInputStream* Open(const std::string& name) override {
    const auto found = texts_.find(name);
    if (found == texts_.end()) return nullptr;
    return new protobuf::io::ArrayInputStream(found->second.data(), static_cast<int>(found->second.size()));
  }

 private:
  std::map<std::string, std::string> texts_;
};

class FirstError : public protobuf::compiler::MultiFileErrorCollector {
 public:
  void AddError(const std::string& file, int line, int, const std::string& what) override {
    if (!text.empty()) return;
    text = line >= 0 ? fmt::format("line {}: {}", line + 1, what) : what;
    if (file != kMainFile) text = fmt::format("{}: {}", file, text);
  }
  std::string text;
};

int64_t micros_of(int64_t seconds, int64_t nanos) {
  int64_t time_us = 0;
  if (__builtin_mul_overflow(seconds, int64_t{1000000}, &time_us) ||
      __builtin_add_overflow(time_us, nanos / 1000 - (nanos % 1000 < 0), &time_us))
    fail(ErrorKind::input, "has a time further from 1970 than 64 bits of microseconds reach");
  return time_us;
}

bool is_timestamp(const protobuf::Descriptor& type) {
  return type.full_name() == protobuf::Timestamp::descriptor()->full_name() && type.field_count() == 2;
}

// google.protobuf.Int64Value and the like: a message that stands for its value.
bool is_wrapper(const protobuf::Descriptor& type) {
  return type.file()->name() == "google/protobuf/wrappers.proto" && type.field_count() == 1;
}

ProtobufJson json_of_message(const protobuf::Message& message);

// The value of a field; of a repeated one, of its element `index`.
ProtobufJson json_of_value(const protobuf::Message& message, const protobuf::FieldDescriptor& field, int index) {
  const auto& by = *message.GetReflection();
  const bool one = index < 0;
  switch (field.cpp_type()) {
    case Kind::CPPTYPE_INT32: return one ? by.GetInt32(message, &field) : by.GetRepeatedInt32(message, &field, index);
    case Kind::CPPTYPE_INT64: return one ? by.GetInt64(message, &field) : by.GetRepeatedInt64(message, &field, index);
    case Kind::CPPTYPE_UINT32:
      return one ? by.GetUInt32(message, &field) : by.GetRepeatedUInt32(message, &field, index);
    case Kind::CPPTYPE_UINT64:
      return one ? by.GetUInt64(message, &field) : by.GetRepeatedUInt64(message, &field, index);
    case Kind::CPPTYPE_DOUBLE:
      return one ? by.GetDouble(message, &field) : by.GetRepeatedDouble(message, &field, index);
    case Kind::CPPTYPE_FLOAT:
      return columns::shortest_double(one ? by.GetFloat(message, &field) : by.GetRepeatedFloat(message, &field, index));
    case Kind::CPPTYPE_BOOL: return one ? by.GetBool(message, &field) : by.GetRepeatedBool(message, &field, index);
    case Kind::CPPTYPE_STRING:
      return one ? by.GetString(message, &field) : by.GetRepeatedString(message, &field, index);
    case Kind::CPPTYPE_ENUM: {
      const int number = one ? by.GetEnumValue(message, &field) : by.GetRepeatedEnumValue(message, &field, index);
      const auto* value = field.enum_type()->FindValueByNumber(number);
      return value ? ProtobufJson(value->name()) : ProtobufJson(number);
    }
    default:
      return json_of_message(one ? by.GetMessage(message, &field) : by.GetRepeatedMessage(message, &field, index));
  }
}

// Null: it is not there. A field of proto3 that is not marked optional always is.
ProtobufJson json_of_field(const protobuf::Message& message, const protobuf::FieldDescriptor& field) {
  const auto& by = *message.GetReflection();
  if (!field.is_repeated()) {
    if (field.has_presence() && !by.HasField(message, &field)) return nullptr;
    return json_of_value(message, field, -1);
  }
  auto json = field.is_map() ? ProtobufJson::object() : ProtobufJson::array();
  for (int i = 0; i < by.FieldSize(message, &field); ++i) {
    if (!field.is_map()) {
      json.push_back(json_of_value(message, field, i));
      continue;
    }
    const auto& entry = by.GetRepeatedMessage(message, &field, i);
    const auto key = json_of_value(entry, *field.message_type()->map_key(), -1);
    json[key.is_string() ? key.get<std::string>() : key.dump()] =
        json_of_value(entry, *field.message_type()->map_value(), -1);
  }
  return json;
}

ProtobufJson json_of_message(const protobuf::Message& message) {
  const auto& type = *message.GetDescriptor();
  if (is_wrapper(type)) return json_of_value(message, *type.field(0), -1);
  auto json = ProtobufJson::object();
  for (int f = 0; f < type.field_count(); ++f)
    if (auto value = json_of_field(message, *type.field(f)); !value.is_null())
      json[type.field(f)->name()] = std::move(value);
  return json;
}

// Of the base 128, by which Confluent's head counts, a number of either sign: 0, -1, 1, -2, ...
int64_t take_index(std::string_view& payload) {
  uint64_t value = 0;
  for (int shift = 0;; shift += 7) {
    if (payload.empty() || shift > 28) fail(ErrorKind::input, "ends within the place of its message in the schema");
    const auto byte = static_cast<unsigned char>(payload[0]);
    payload.remove_prefix(1);
    value |= static_cast<uint64_t>(byte & 0x7f) << shift;
    if (byte < 0x80) break;
  }
  return static_cast<int64_t>(value >> 1) ^ -static_cast<int64_t>(value & 1);
}

std::vector<int64_t> take_indexes(std::string_view& payload) {
  const int64_t count = take_index(payload);
  if (count == 0) return {0};
  if (count < 0 || count > 100) fail(ErrorKind::input, "names its message in the schema by {} numbers", count);
  std::vector<int64_t> indexes;
  for (int64_t i = 0; i < count; ++i) indexes.push_back(take_index(payload));
  return indexes;
}

class ProtobufDecoder : public RecordDecoder {
 public:
  ProtobufDecoder(const RegisteredSchema& schema, const std::vector<std::string>& columns)
      : columns_(columns), files_(schema), known_(*protobuf::DescriptorPool::generated_pool()),
        database_(&files_, &known_), pool_(&database_, database_.GetValidationErrorCollector()) {
    protobuf::SetLogHandler(nullptr);  // it would write to stderr what is told as a reason
    FirstError error;
    database_.RecordErrorsTo(&error);
    file_ = pool_.FindFileByName(kMainFile);
    database_.RecordErrorsTo(nullptr);
    if (!file_) fail(ErrorKind::input, "is no schema of Protobuf: {}", error.text);
  }

  void read(std::string_view payload, text::Row& row) override {
    auto& record = record_of(take_indexes(payload));
    auto& message = *record.message;
    message.Clear();
    if (!message.ParsePartialFromArray(payload.data(), static_cast<int>(payload.size())))
      fail(ErrorKind::input, "is cut off, or no {}", message.GetDescriptor()->full_name());
    if (!message.IsInitialized())
      fail(ErrorKind::input, "lacks what its schema requires: {}", message.InitializationErrorString());
    for (const auto* field : record.fields) {
      auto& cell = row.add(field->name());
      const auto& by = *message.GetReflection();
      if (field->cpp_type() == Kind::CPPTYPE_MESSAGE && !field->is_repeated() && is_timestamp(*field->message_type()) &&
          by.HasField(message, field)) {
        const auto& time = by.GetMessage(message, field);
        const auto& type = *field->message_type();
        cell.set_time(micros_of(time.GetReflection()->GetInt64(time, type.field(0)),
                                time.GetReflection()->GetInt32(time, type.field(1))));
      } else {
        text::set_cell(cell, json_of_field(message, *field));
      }
    }
  }

 private:
  struct Record {
    std::unique_ptr<protobuf::Message> message;  // parsed into again and again
    std::vector<const protobuf::FieldDescriptor*> fields;
  };

  Record& record_of(const std::vector<int64_t>& indexes) {
    if (const auto found = records_.find(indexes); found != records_.end()) return found->second;
    const protobuf::Descriptor* type = nullptr;
    for (const int64_t index : indexes) {
      const int count = type ? type->nested_type_count() : file_->message_type_count();
      if (index < 0 || index >= count)
        fail(ErrorKind::input, "is message {} of {}, which has {}: was it written with another schema?", index,
             type ? type->full_name() : "the schema", count);
      type = type ? type->nested_type(static_cast<int>(index)) : file_->message_type(static_cast<int>(index));
    }
    auto& record = records_[indexes];
    record.message.reset(factory_.GetPrototype(type)->New());
    for (const auto& column : columns_)
      if (const auto* field = type->FindFieldByName(column)) record.fields.push_back(field);
    return record;
  }

  std::vector<std::string> columns_;
  Files files_;
  protobuf::DescriptorPoolDatabase known_;  // what Protobuf itself brings: google/protobuf/timestamp.proto and the like
  protobuf::compiler::SourceTreeDescriptorDatabase database_;
  protobuf::DescriptorPool pool_;
  const protobuf::FileDescriptor* file_ = nullptr;
  protobuf::DynamicMessageFactory factory_;
  std::map<std::vector<int64_t>, Record> records_;  // goes before what it is made of
};

}  // namespace

std::unique_ptr<RecordDecoder> make_protobuf_decoder(const RegisteredSchema& schema,
                                                     const std::vector<std::string>& columns) {
  return std::make_unique<ProtobufDecoder>(schema, columns);
}

}  // namespace pagoda::stream
