#include "index/column_tests.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace pagoda {
namespace {

constexpr Truth truth(bool holds) { return holds ? kYes : kNo; }

std::optional<bool> as_boolean(std::string_view word) {
  if (word == "true" || word == "True" || word == "TRUE" || word == "1") return true;
  if (word == "false" || word == "False" || word == "FALSE" || word == "0") return false;
  return std::nullopt;
}

template <class T>
bool compare(FilterTest test, const T& cell, const T& value) {
  switch (test) {
    case FilterTest::less: return cell < value;
    case FilterTest::less_equal: return cell <= value;
    case FilterTest::greater: return cell > value;
    case FilterTest::greater_equal: return cell >= value;
    default: return cell == value;
  }
}

bool is_order(FilterTest test) { return test >= FilterTest::less && test <= FilterTest::greater_equal; }

template <class T>
std::vector<Truth> each_reading(const std::vector<std::optional<T>>& cells, FilterTest test, T value) {
  std::vector<Truth> truths;
  for (const auto& cell : cells) truths.push_back(cell ? truth(compare<T>(test, *cell, value)) : kUnknown);
  return truths;
}

template <class Cell>
std::vector<Truth> each_row(const Column& column, Cell holds) {
  std::vector<Truth> truths(column.rows());
  for (size_t r = 0; r < truths.size(); ++r) truths[r] = column.is_null(r) ? kUnknown : truth(holds(r));
  return truths;
}

}  // namespace

template <class T, class Parse>
const ColumnTests::Reading<T>& ColumnTests::read(Reading<T>& reading, Parse parse) {
  if (std::exchange(reading.done, true)) return reading;
  std::string scratch;
  for (size_t r = 0; r < rows_ && reading.fits; ++r) {
    reading.cells.push_back(column_.absent(r) ? std::nullopt : parse(r));
    if (!reading.cells.back() && !column_.absent(r))
      reading.fits = false, reading.stranger = column_.as_text(r, scratch);
  }
  return reading;
}

const ColumnTests::Reading<double>& ColumnTests::numbers() {
  return read(numbers_, [&](size_t r) { return column_.as_number(r); });
}
const ColumnTests::Reading<int64_t>& ColumnTests::times() {
  return read(times_, [&](size_t r) { return column_.as_time_us(r); });
}
const ColumnTests::Reading<bool>& ColumnTests::booleans() {
  std::string scratch;
  return read(booleans_, [&](size_t r) -> std::optional<bool> { return as_boolean(column_.as_text(r, scratch)); });
}

std::vector<Truth> ColumnTests::test(const FilterNode& node) {
  if (node.test == FilterTest::is_true) return is_true(node);
  const bool negated = node.test == FilterTest::not_equal || node.test == FilterTest::not_in;
  const FilterTest test = is_order(node.test) ? node.test : FilterTest::equal;
  auto truths = against(node, test, node.values[0]);
  for (size_t v = 1; v < node.values.size(); ++v) {
    const auto more = against(node, test, node.values[v]);
    for (size_t r = 0; r < rows_; ++r) truths[r] = std::max(truths[r], more[r]);
  }
  if (negated) invert(truths);
  return truths;
}

std::vector<Truth> ColumnTests::is_true(const FilterNode& node) {
  if (column_.type == ColumnType::boolean) return each_row(column_, [&](size_t r) { return column_.integers[r] != 0; });
  if (column_.type == ColumnType::text)
    if (const auto& reading = booleans(); reading.fits) return each_reading(reading.cells, FilterTest::equal, true);
  fail_filter(expression_, node.at,
              fmt::format("field '{}' is not true or false: compare it with a value", node.field));
}

// Each row's cell against one value.
std::vector<Truth> ColumnTests::against(const FilterNode& node, FilterTest test, const FilterValue& value) {
  switch (column_.type) {
    case ColumnType::integer:
    case ColumnType::real: return against_number(node, test, value);
    case ColumnType::time: {
      const auto time = value.kind == FilterValue::Kind::boolean ? std::nullopt : parse_time_us(value.text);
      if (!time) mismatch(node, value, "a time", "compare it with a time like \"2024-01-01\"");
      return each_row(column_, [&](size_t r) { return compare(test, column_.integers[r], *time); });
    }
    case ColumnType::boolean: {
      const auto wanted = as_boolean(value.text);
      if (!wanted) mismatch(node, value, "true or false", "compare it with true or false");
      if (is_order(test))
        fail_filter(expression_, node.at, fmt::format("field '{}' is true or false: it has no order", node.field));
      return each_row(column_, [&](size_t r) { return (column_.integers[r] != 0) == *wanted; });
    }
    case ColumnType::texts:
      if (is_order(test))
        fail_filter(expression_, node.at,
                    fmt::format("field '{}' is a list: only =, != and in apply to it", node.field));
      return each_row(column_, [&](size_t r) {
        bool any = false;
        column_.for_each_element(r, '\0', [&](std::string_view element) {
          any = any || element == value.text ||
                (value.kind == FilterValue::Kind::number && parse_number(element) == value.number);
        });
        return any;
      });
    case ColumnType::text: break;
  }
  return against_text(node, test, value);
}

std::vector<Truth> ColumnTests::against_number(const FilterNode& node, FilterTest test, const FilterValue& value) {
  std::optional<double> number = value.number;
  if (value.kind == FilterValue::Kind::text) number = parse_number(value.text);
  if (value.kind == FilterValue::Kind::boolean || !number)
    mismatch(node, value, "a number", "compare it with a number");
  if (column_.type == ColumnType::real) {
    auto truths = each_row(column_, [&](size_t r) { return compare(test, column_.reals[r], *number); });
    for (size_t r = 0; r < rows_; ++r)
      if (std::isnan(column_.reals[r])) truths[r] = kUnknown;
    return truths;
  }
  if (value.integer)
    return each_row(column_, [&](size_t r) { return compare(test, column_.integers[r], *value.integer); });
  return each_row(column_, [&](size_t r) { return compare(test, static_cast<double>(column_.integers[r]), *number); });
}

std::vector<Truth> ColumnTests::against_text(const FilterNode& node, FilterTest test, const FilterValue& value) {
  if (value.kind == FilterValue::Kind::number) {
    const auto& reading = numbers();
    if (reading.fits) return each_reading(reading.cells, test, value.number);
    if (is_order(test))
      mismatch(node, value, fmt::format("text (such as '{}')", reading.stranger),
               "put the value in quotes to compare as text");
  }
  if (value.kind == FilterValue::Kind::boolean) {
    if (is_order(test)) mismatch(node, value, "text", "compare it with a text");
    if (const auto& reading = booleans(); reading.fits) return each_reading(reading.cells, test, value.boolean);
  }
  if (value.kind == FilterValue::Kind::text && !parse_number(value.text)) {
    if (const auto time = parse_time_us(value.text))
      if (const auto& reading = times(); reading.fits) return each_reading(reading.cells, test, *time);
  }
  std::vector<Truth> truths(rows_);
  std::string scratch;
  for (size_t r = 0; r < rows_; ++r) {
    const std::string_view cell = column_.is_null(r) ? std::string_view() : column_.as_text(r, scratch);
    truths[r] = cell.empty() ? kUnknown : truth(compare<std::string_view>(test, cell, value.text));
  }
  return truths;
}

void ColumnTests::mismatch(const FilterNode& node, const FilterValue& value, std::string_view is,
                           std::string_view remedy) const {
  const char* kind = value.kind == FilterValue::Kind::number ? "the number "
                     : value.kind == FilterValue::Kind::text ? "the text "
                                                             : "";
  fail_filter(
      expression_, value.at,
      fmt::format("field '{}' is {} and can not be compared with {}{}; {}", node.field, is, kind, value.text, remedy));
}

}  // namespace pagoda
