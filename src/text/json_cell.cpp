#include "text/json_cell.h"

#include <fmt/format.h>

#include <cmath>

#include "columns/decimal.h"
#include "core/error.h"

namespace pagoda::text {

namespace {

using OrderedJson = nlohmann::ordered_json;

std::string json_text(const OrderedJson& value) try { return value.dump(); } catch (const OrderedJson::type_error&) {
  fail(ErrorKind::input, "a text within a record, a map or a list is not UTF-8");
}

// An element of a list, as a cell of a list holds it.
std::string element_text(const OrderedJson& value) {
  if (value.is_string()) return value.get<std::string>();
  if (value.is_number_float()) {
    const auto real = value.get<double>();
    return std::isfinite(real) ? columns::format_number(real) : fmt::format("{}", real);
  }
  return json_text(value);
}

bool is_empty(const OrderedJson& value) {
  return value.is_null() || (value.is_number_float() && std::isnan(value.get<double>()));
}

}  // namespace

void set_cell(Cell& cell, const OrderedJson& value) {
  if (is_empty(value)) {
    cell.null = true;
  } else if (value.is_string()) {
    cell.set_text(value.get_ref<const std::string&>());
  } else if (value.is_boolean()) {
    cell.set_integer(value.get<bool>());
    cell.type = columns::ColumnType::boolean;
  } else if (value.is_number_unsigned() && value.get<uint64_t>() > INT64_MAX) {
    cell.set_text(fmt::format("{}", value.get<uint64_t>()));
    cell.type = columns::ColumnType::decimal;
  } else if (value.is_number_integer()) {
    cell.set_integer(value.get<int64_t>());
  } else if (value.is_number_float()) {
    cell.set_real(value.get<double>());
  } else if (value.is_array()) {
    cell.type = columns::ColumnType::texts;
    for (const auto& element : value)
      if (!is_empty(element)) cell.elements.push_back(element_text(element));
  } else {
    cell.set_text(json_text(value));
  }
}

}  // namespace pagoda::text
