#include "columns/column.h"

#include "columns/decimal.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <span>

namespace pagoda::columns {

namespace {

bool means_nothing(std::string_view text) {
  return text.empty() || text == "NA" || text == "N/A" || text == "null" || text == "NULL" || text == "None";
}

std::string_view chars(std::span<const char> s) { return {s.data(), s.size()}; }

}  // namespace

std::string_view name_of(ColumnType type) {
  switch (type) {
    case ColumnType::text: return "text";
    case ColumnType::integer: return "integer";
    case ColumnType::real: return "real";
    case ColumnType::boolean: return "boolean";
    case ColumnType::time: return "time";
    case ColumnType::texts: return "list of texts";
    case ColumnType::decimal: return "decimal";
  }
  return "";
}

size_t Column::rows() const {
  switch (type) {
    case ColumnType::text:
    case ColumnType::decimal: return words ? codes.size() : text.size();
    case ColumnType::real: return reals.size();
    case ColumnType::texts: return element_offsets.size() - 1;
    default: return integers.size();
  }
}

std::string_view Column::as_text(size_t row, std::string& scratch) const {
  if (is_null(row)) return {};
  if (type == ColumnType::text || type == ColumnType::decimal) return text_of(row);
  scratch.clear();
  switch (type) {
    case ColumnType::boolean: return integers[row] ? "true" : "false";
    case ColumnType::time: scratch = format_time_us(integers[row]); break;
    case ColumnType::real: scratch = format_number(reals[row]); break;
    case ColumnType::integer: {
      const fmt::format_int digits(integers[row]);
      scratch.assign(digits.data(), digits.size());
      break;
    }
    default:
      for (uint64_t e = element_offsets[row]; e < element_offsets[row + 1]; ++e) {
        if (e > element_offsets[row]) scratch += '|';
        scratch += chars(elements[e]);
      }
  }
  return scratch;
}

std::optional<double> Column::as_number(size_t row) const {
  if (is_null(row)) return std::nullopt;
  switch (type) {
    case ColumnType::text:
    case ColumnType::decimal: return parse_number(text_of(row));
    case ColumnType::real: return std::isfinite(reals[row]) ? std::optional(reals[row]) : std::nullopt;
    case ColumnType::time: return static_cast<double>(integers[row]) * 1e-6;
    case ColumnType::texts: return std::nullopt;
    default: return static_cast<double>(integers[row]);
  }
}

std::optional<int64_t> Column::as_time_us(size_t row) const {
  if (is_null(row)) return std::nullopt;
  switch (type) {
    case ColumnType::time: return integers[row];
    default:
      if (const auto time = parse_time(*this, row)) return timestamp_us(*time, times);
      return std::nullopt;
  }
}

bool Column::absent(size_t row) const {
  return is_null(row) || (type == ColumnType::text && means_nothing(trim(text_of(row))));
}

void Column::push_null() {
  if (valid.empty()) valid.assign(rows(), 1);
  valid.push_back(0);
  switch (type) {
    case ColumnType::text:
    case ColumnType::decimal: text.close(); break;
    case ColumnType::real: reals.push_back(0); break;
    case ColumnType::texts: element_offsets.push_back(elements.size()); break;
    default: integers.push_back(0);
  }
}

void Column::push_text(std::string_view value) {
  text.push(std::span(value.data(), value.size()));
  mark_valid();
}

void Column::push_integer(int64_t value) {
  integers.push_back(value);
  mark_valid();
}

void Column::push_real(double value) {
  reals.push_back(value);
  mark_valid();
}

void Column::push_element(std::string_view element) { elements.push(std::span(element.data(), element.size())); }

void Column::end_list() {
  element_offsets.push_back(elements.size());
  mark_valid();
}

void Column::push_cell(const Column& from, size_t row) {
  if (from.is_null(row)) return push_null();
  if ((type != from.type || precision != from.precision) && valid.size() == rows() &&
      std::none_of(valid.rbegin(), valid.rend(), [](uint8_t v) { return v; })) {
    become(from.type);
    precision = from.precision;
  }
  if (type == ColumnType::real && from.type == ColumnType::real && precision != from.precision)
    precision = RealPrecision::f64;
  if (type != from.type) {
    const auto number = [](ColumnType t) {
      return t == ColumnType::integer || t == ColumnType::real || t == ColumnType::decimal;
    };
    become(number(type) && number(from.type)                             ? ColumnType::decimal
           : type == ColumnType::texts || from.type == ColumnType::texts ? ColumnType::texts
                                                                         : ColumnType::text);
  }
  std::string scratch;
  if (type == ColumnType::texts && from.type != ColumnType::texts) {
    push_element(from.as_text(row, scratch));
    return end_list();
  }
  switch (type) {
    case ColumnType::text:
    case ColumnType::decimal: return push_text(from.as_text(row, scratch));
    case ColumnType::real:
      if (precision != from.precision) precision = RealPrecision::f64;
      return push_real(from.reals[row]);
    case ColumnType::texts:
      for (uint64_t e = from.element_offsets[row]; e < from.element_offsets[row + 1]; ++e)
        push_element(chars(from.elements[e]));
      return end_list();
    default: return push_integer(from.integers[row]);
  }
}

void Column::become(ColumnType wanted) {
  if (wanted == type) return;
  Column other;
  other.name = name;
  other.type = wanted;
  std::string scratch;
  for (size_t r = 0; r < rows(); ++r) {
    if (is_null(r)) {
      other.push_null();
    } else if (wanted == ColumnType::texts) {
      other.push_element(as_text(r, scratch));
      other.end_list();
    } else {
      other.push_text(as_text(r, scratch));
    }
  }
  *this = std::move(other);
}

Column Column::without_rows() const {
  Column out;
  out.name = name;
  out.type = type;
  out.precision = precision;
  out.times = times;
  return out;
}

void Column::clear() {
  precision = RealPrecision::f64;
  text.clear();
  words.reset();
  codes.clear();
  integers.clear();
  reals.clear();
  elements.clear();
  element_offsets.assign(1, 0);
  valid.clear();
}

}  // namespace pagoda::columns
