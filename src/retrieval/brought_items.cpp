#include "retrieval/brought_items.h"

#include <algorithm>
#include <cmath>

#include "columns/decimal.h"
#include "core/suggest.h"
#include "retrieval/retrieval.h"

namespace pagoda::retrieval {
namespace {

std::optional<int64_t> whole_number(const std::string& text) {
  const auto number = columns::Decimal::parse(text);
  return number ? number->as_int64() : std::nullopt;
}

// The value as the column's type.
std::optional<double> real_number(const std::string& text, columns::RealPrecision precision) {
  const auto number = columns::Decimal::parse(text);
  const double nearest = number ? columns::nearest_in(precision, *number) : INFINITY;
  return std::isfinite(nearest) ? std::optional(nearest) : std::nullopt;
}

std::optional<int64_t> true_or_false(const std::string& text) {
  const auto key = columns::value_key(text);
  return key == "true" ? std::optional<int64_t>(1) : key == "false" ? std::optional<int64_t>(0) : std::nullopt;
}

template <class T>
bool push_or_null(columns::Column& column, const std::optional<T>& value, void (columns::Column::*push)(T)) {
  if (value)
    (column.*push)(*value);
  else
    column.push_null();
  return value.has_value();
}

// Appends a value to a column. Appends a null for nullptr, and for a value that does not fit the column's type; returns
// false only for the latter.
bool append(columns::Column& column, const RequestFeature* provided) {
  const bool fits = provided && (column.type == columns::ColumnType::texts || !provided->is_list);
  if (!fits) {
    column.push_null();
    return !provided;
  }
  const auto& values = provided->values;
  switch (column.type) {
    case columns::ColumnType::text: column.push_text(values[0]); return true;
    case columns::ColumnType::integer:
      return push_or_null(column, whole_number(values[0]), &columns::Column::push_integer);
    case columns::ColumnType::real:
      return push_or_null(column, real_number(values[0], column.precision), &columns::Column::push_real);
    case columns::ColumnType::decimal: {
      const auto number = columns::Decimal::parse(values[0]);
      number ? column.push_text(number->text()) : column.push_null();
      return number.has_value();
    }
    case columns::ColumnType::time:
      return push_or_null(column, columns::parse_time_us(values[0]), &columns::Column::push_integer);
    case columns::ColumnType::boolean:
      return push_or_null(column, true_or_false(values[0]), &columns::Column::push_integer);
    case columns::ColumnType::texts:
      for (const auto& value : values) column.push_element(value);
      column.end_list();
      return true;
  }
  return false;
}

// What an attribute must be for the column to hold it.
std::string_view expected(const columns::Column& column) {
  switch (column.type) {
    case columns::ColumnType::integer: return "a whole number of 64 bits";
    case columns::ColumnType::real:
      return column.precision == columns::RealPrecision::f64   ? "a number that a double holds"
             : column.precision == columns::RealPrecision::f32 ? "a number that a float of 32 bits holds"
                                                               : "a number that a float of 16 bits holds";
    case columns::ColumnType::decimal: return "a number";
    case columns::ColumnType::time: return "a time such as 2024-05-01T10:00:00Z";
    case columns::ColumnType::boolean: return "true or false";
    default: return "one value";
  }
}

// Appends the vector, or none: as nullptr, and as a value that is not one. Returns false only for the latter.
bool append(columns::VectorRows& rows, const RequestFeature* provided) {
  const bool fits = provided && provided->is_list && provided->values.size() == rows.width();
  if (!fits) {
    rows.push_null();
    return !provided;
  }
  columns::Column cell;
  cell.type = columns::ColumnType::texts;
  for (const auto& value : provided->values) cell.push_element(value);
  cell.end_list();
  return rows.push(cell, 0);
}

}  // namespace

void check_vector(const RequestFeature& vector, size_t width, const std::string& field) {
  columns::VectorRows one(vector.name);
  one.set_width(width);
  if (append(one, &vector)) return;
  const auto is = !vector.is_list                 ? fmt::format("'{}'", vector.values[0])
                  : vector.values.size() != width ? fmt::format("a list of {}", vector.values.size())
                                                  : std::string("a list with values that are no finite numbers");
  throw RequestError(ErrorKind::input, field,
                     fmt::format("'{}' is {}, expected a vector of {} numbers", vector.name, is, width));
}

BroughtItems::BroughtItems(const model::Bundle& bundle) {
  for (const auto& column : bundle.item_attributes().columns) table_.columns.push_back(column.without_rows());
  if (!bundle.info().towers) return;
  for (const auto& member : bundle.members())
    for (const auto* feature : member.model.item_encoder.vector_features())
      if (std::ranges::none_of(vectors_, [&](const auto& v) { return v.name() == feature->name(); })) {
        vectors_.emplace_back(feature->name());
        vectors_.back().set_width(feature->dim());
      }
}

void BroughtItems::check(const RequestFeature& attribute) const {
  const auto vector = std::ranges::find(vectors_, attribute.name, &columns::VectorRows::name);
  if (vector != vectors_.end()) return check_vector(attribute, vector->width(), "attributes");
  const auto wrong = [](const std::string& text) { throw RequestError(ErrorKind::input, "attributes", text); };
  const auto* known = table_.find(attribute.name);
  if (!known) {
    auto names = table_.names();
    for (const auto& v : vectors_) names.push_back(v.name());
    wrong(fmt::format("unknown attribute '{}'{}", attribute.name, suggestion(attribute.name, names)));
  }
  auto column = known->without_rows();
  if (!append(column, &attribute))
    wrong(fmt::format("attribute '{}' is {}, expected {}", attribute.name,
                      attribute.is_list ? "a list" : "'" + attribute.values[0] + "'", expected(*known)));
}

void BroughtItems::add(const ItemChange& item) {
  table_.ids.add(item.item);
  const auto given = [&](const std::string& name) {
    const auto at = std::ranges::find(item.attributes, name, &RequestFeature::name);
    return at == item.attributes.end() ? nullptr : &*at;
  };
  for (auto& column : table_.columns) append(column, given(column.name));
  for (auto& rows : vectors_) append(rows, given(rows.name()));
}

data::Attributes BroughtItems::take() {
  for (auto& rows : vectors_) table_.vectors.push_back(rows.finish());
  vectors_.clear();
  return std::move(table_);
}

}  // namespace pagoda::retrieval
