// Which Arrow types become columns, and the messages about the others. Private to this room; includes Arrow.
#pragma once

#include <arrow/api.h>

#include <string>
#include <vector>

#include "columns/notices.h"

namespace pagoda::formats {

// Whether read_array() knows the type: numbers, decimals, booleans, text, times, durations, UUIDs, JSON text, and
// dictionaries, runs and lists of these. Not: structs, maps, unions, lists of lists, intervals, unknown extensions.
bool is_readable(const arrow::DataType& type);
// The same for a field, whose metadata may say that its type is the storage of an extension that Arrow does not know.
bool is_readable(const arrow::Field& field);

// The field as one of an extension type of that name, for a type that Arrow mistakes for another.
std::shared_ptr<arrow::Field> named_extension(const arrow::Field& field, const std::string& name);

// The name of a field's type for a message, and what to do about one that cannot be read.
std::string type_name(const arrow::Field& field);
std::string remedy_of(const arrow::Field& field);

// The columns of a schema to read: the wanted ones, or all readable ones if none are named; then the others are counted
// and their names added to `left_out`. Error{input}: a wanted column is missing or not readable.
std::vector<size_t> readable_columns(const std::string& path, const arrow::Schema& schema,
                                     const std::vector<std::string>& wanted, columns::Notices& notices,
                                     std::vector<std::string>& left_out);

}  // namespace pagoda::formats
