#include "formats/arrow_types.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/error.h"
#include "text/file_reader.h"

namespace pagoda::formats {

namespace {

using arrow::Type;
using arrow::internal::checked_cast;

constexpr const char* kExtensionName = "ARROW:extension:name";

bool is_text(const arrow::DataType& type) {
  switch (type.id()) {
    case Type::STRING:
    case Type::LARGE_STRING:
    case Type::STRING_VIEW: return true;
    default: return false;
  }
}

bool is_list(const arrow::DataType& type) { return arrow::is_list_like(type.id()) || arrow::is_list_view(type.id()); }

// The meaning of an extension's storage is known for a few; for the others, only text is text.
bool is_known_extension(const arrow::ExtensionType& type) {
  const auto name = type.extension_name();
  return name == "arrow.uuid" || name == "arrow.bool8" || name == "arrow.fixed_shape_tensor" ||
         is_text(*type.storage_type());
}

std::string unknown_extension(const arrow::Field& field) {
  if (!field.HasMetadata() || field.type()->id() == Type::EXTENSION) return "";
  return field.metadata()->Get(kExtensionName).ValueOr("");
}

const arrow::DataType& element_type(const arrow::DataType& type) { return *type.field(0)->type(); }

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
    case Type::DECIMAL32:
    case Type::DECIMAL64:
    case Type::DECIMAL128:
    case Type::DECIMAL256:
    case Type::STRING:
    case Type::LARGE_STRING:
    case Type::STRING_VIEW:
    case Type::BINARY:
    case Type::LARGE_BINARY:
    case Type::BINARY_VIEW:
    case Type::FIXED_SIZE_BINARY:
    case Type::TIMESTAMP:
    case Type::DATE32:
    case Type::DATE64:
    case Type::TIME32:
    case Type::TIME64:
    case Type::DURATION: return true;
    case Type::DICTIONARY: return is_readable(*checked_cast<const arrow::DictionaryType&>(type).value_type());
    case Type::RUN_END_ENCODED: return is_readable(*checked_cast<const arrow::RunEndEncodedType&>(type).value_type());
    case Type::EXTENSION: {
      const auto& extension = checked_cast<const arrow::ExtensionType&>(type);
      return is_known_extension(extension) && is_readable(*extension.storage_type());
    }
    default: return is_list(type) && !is_list(element_type(type)) && is_readable(*type.field(0));
  }
}

bool is_readable(const arrow::Field& field) {
  return is_readable(*field.type()) && (unknown_extension(field).empty() || is_text(*field.type()));
}

std::shared_ptr<arrow::Field> named_extension(const arrow::Field& field, const std::string& name) {
  return field.WithMergedMetadata(arrow::key_value_metadata({kExtensionName}, {name}));
}

std::string type_name(const arrow::Field& field) {
  const auto extension = unknown_extension(field);
  return extension.empty() ? field.type()->ToString() : fmt::format("{} ({})", extension, field.type()->ToString());
}

std::string remedy_of(const arrow::Field& field) {
  const auto& type = *field.type();
  if (type.id() == Type::STRUCT) return "write its fields as columns of their own";
  if (type.id() == Type::MAP) return "write its keys or its values as a list";
  if (arrow::is_union(type.id())) return "cast it to one type";
  if (arrow::is_interval(type.id())) return "write it in seconds";
  if (is_list(type)) return is_list(element_type(type)) ? "flatten it to a list" : "write a list of plain values";
  return "cast it to a plain type, or to text";
}

std::vector<size_t> readable_columns(const std::string& path, const arrow::Schema& schema,
                                     const std::vector<std::string>& wanted, columns::Notices& notices,
                                     std::vector<std::string>& left_out) {
  std::vector<size_t> chosen;
  const auto present = schema.field_names();
  if (!wanted.empty()) {
    chosen = text::select_columns(path, present, wanted);
  } else {
    for (size_t f = 0; f < present.size(); ++f) chosen.push_back(f);
    text::select_columns(path, present, present);
  }
  std::erase_if(chosen, [&](size_t f) {
    const auto& field = *schema.field(static_cast<int>(f));
    if (is_readable(field)) return false;
    if (!wanted.empty())
      fail(ErrorKind::input,
           "{}: column '{}' is of type {}, which cannot be read; expected numbers, text, times or a list of these: {}",
           path, present[f], type_name(field), remedy_of(field));
    left_out.push_back(present[f]);
    notices.add(present[f],
                fmt::format("file(s) hold it as {}, which cannot be read: it is left out; {}", type_name(field),
                            remedy_of(field)),
                1, [&] { return path; });
    return true;
  });
  return chosen;
}

}  // namespace pagoda::formats
