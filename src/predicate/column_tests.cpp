#include "predicate/column_tests.h"

#include <algorithm>
#include <cmath>
#include <compare>

namespace pagoda::predicate {
namespace {

constexpr Truth truth(bool holds) { return holds ? kYes : kNo; }

std::optional<bool> as_boolean(std::string_view word) {
  if (word == "1") return true;
  if (word == "0") return false;
  const auto key = columns::value_key(word);
  if (key == "true") return true;
  if (key == "false") return false;
  return std::nullopt;
}

// `order`: the order of the cell relative to the value.
template <class Order>
bool holds(FilterTest test, Order order) {
  switch (test) {
    case FilterTest::less: return order < 0;
    case FilterTest::less_equal: return order <= 0;
    case FilterTest::greater: return order > 0;
    case FilterTest::greater_equal: return order >= 0;
    default: return order == 0;
  }
}

bool is_order(FilterTest test) { return test >= FilterTest::less && test <= FilterTest::greater_equal; }

template <class Cell>
std::vector<Truth> each_row(const columns::Column& column, Cell holds) {
  std::vector<Truth> truths(column.rows());
  for (size_t r = 0; r < truths.size(); ++r) truths[r] = column.is_null(r) ? kUnknown : truth(holds(r));
  return truths;
}

// The nearest double of a number of any size.
std::optional<double> nearest_double(std::string_view text) {
  if (const auto number = columns::parse_number(text)) return number;
  const auto number = columns::Decimal::parse(text);
  return number ? std::optional(number->as_double()) : std::nullopt;
}

// Elsewhere a number may be a time; here it is a number.
std::optional<int64_t> as_date(std::string_view text) {
  return columns::Decimal::parse(text) ? std::nullopt : columns::parse_time_us(text);
}

}  // namespace

struct ColumnTests::Against {
  std::string_view expression;
  const FilterNode& node;
  FilterTest test;  // an order or equality
  const FilterValue& value;
  const ColumnTests& judge;

  [[noreturn]] void mismatch(std::string_view is, std::string_view remedy) const {
    const char* kind = value.kind == FilterValue::Kind::number ? "the number "
                       : value.kind == FilterValue::Kind::text ? "the text "
                                                               : "";
    fail_filter(
        expression, value.at,
        fmt::format("field '{}' is {} and cannot be compared with {}{}; {}", node.field, is, kind, value.text, remedy));
  }
};

template <class T, class Parse>
const ColumnTests::Reading<T>& ColumnTests::read(Reading<T>& reading, Parse parse) const {
  std::call_once(reading.once, [&] {
    std::vector<std::optional<T>> cells;
    std::string scratch;
    for (size_t r = 0; r < rows_; ++r) {
      const bool absent = column_.absent(r);
      cells.push_back(absent ? std::nullopt : parse(column_.as_text(r, scratch)));
      if (absent) continue;
      reading.any = true;
      if (cells.back()) continue;
      reading.fits = false;
      reading.misfit = column_.as_text(r, scratch);
      return;
    }
    reading.cells = std::move(cells);
  });
  return reading;
}

const ColumnTests::Reading<double>& ColumnTests::numbers() const { return read(numbers_, nearest_double); }
const ColumnTests::Reading<int64_t>& ColumnTests::times() const { return read(times_, as_date); }
const ColumnTests::Reading<bool>& ColumnTests::booleans() const { return read(booleans_, as_boolean); }

template <class T, class Parse, class Holds>
std::vector<Truth> ColumnTests::each(const Reading<T>& reading, Parse parse, Holds holds) const {
  std::vector<Truth> truths(rows_, kUnknown);
  std::string scratch;
  for (size_t r = 0; r < rows_; ++r) {
    const auto cell = reading.fits        ? reading.cells[r]
                      : column_.absent(r) ? std::nullopt
                                          : parse(column_.as_text(r, scratch));
    if (cell) truths[r] = truth(holds(r, *cell));
  }
  return truths;
}

std::vector<Truth> ColumnTests::test(std::string_view expression, const FilterNode& node,
                                     const ColumnTests* other) const {
  // Any reading tells whether there are cells.
  const bool texts = column_.type == columns::ColumnType::text || column_.type == columns::ColumnType::decimal;
  const ColumnTests& judge = other && texts && other->numbers().any ? *other : *this;
  if (node.test == FilterTest::is_true) return is_true(expression, node, judge);
  if (node.test == FilterTest::is_null || node.test == FilterTest::is_not_null)
    return is_null(node.test == FilterTest::is_null);
  const bool negated = node.test == FilterTest::not_equal || node.test == FilterTest::not_in;
  const FilterTest test = is_order(node.test) ? node.test : FilterTest::equal;
  auto truths = against({expression, node, test, node.values[0], judge});
  for (size_t v = 1; v < node.values.size(); ++v) {
    const auto more = against({expression, node, test, node.values[v], judge});
    for (size_t r = 0; r < rows_; ++r) truths[r] = std::max(truths[r], more[r]);
  }
  if (negated) invert(truths);
  return truths;
}

std::vector<Truth> ColumnTests::is_true(std::string_view expression, const FilterNode& node,
                                        const ColumnTests& judge) const {
  if (column_.type == columns::ColumnType::boolean)
    return each_row(column_, [&](size_t r) { return column_.integers[r] != 0; });
  if (column_.type == columns::ColumnType::text)
    if (judge.booleans().fits) return each(booleans(), as_boolean, [](size_t, bool cell) { return cell; });
  fail_filter(expression, node.at, fmt::format("field '{}' is not true or false: compare it with a value", node.field));
}

std::vector<Truth> ColumnTests::is_null(bool wanted) const {
  std::vector<Truth> truths(rows_);
  for (size_t r = 0; r < rows_; ++r) {
    const bool null = column_.is_null(r) || (column_.type == columns::ColumnType::text && column_.text_of(r).empty()) ||
                      (column_.type == columns::ColumnType::real && std::isnan(column_.reals[r]));
    truths[r] = truth(null == wanted);
  }
  return truths;
}

// Compares each row's cell with one value.
std::vector<Truth> ColumnTests::against(const Against& a) const {
  switch (column_.type) {
    case columns::ColumnType::integer: return against_integers(a);
    case columns::ColumnType::real: return against_reals(a);
    case columns::ColumnType::decimal:
      if (!a.value.number) a.mismatch("a number", "compare it with a number");
      return against_numbers_in_text(a);
    case columns::ColumnType::time: {
      const auto time =
          a.value.kind == FilterValue::Kind::boolean ? std::nullopt : columns::parse_time_us(a.value.text);
      if (!time) a.mismatch("a time", "compare it with a time like \"2024-01-01\"");
      return each_row(column_, [&](size_t r) { return holds(a.test, column_.integers[r] <=> *time); });
    }
    case columns::ColumnType::boolean: {
      const auto wanted = as_boolean(a.value.text);
      if (!wanted) a.mismatch("true or false", "compare it with true or false");
      if (is_order(a.test))
        fail_filter(a.expression, a.node.at, fmt::format("field '{}' is true or false: it has no order", a.node.field));
      return each_row(column_, [&](size_t r) { return (column_.integers[r] != 0) == *wanted; });
    }
    case columns::ColumnType::texts: return against_list(a);
    case columns::ColumnType::text: break;
  }
  return against_text(a);
}

std::vector<Truth> ColumnTests::against_integers(const Against& a) const {
  if (!a.value.number) a.mismatch("a number", "compare it with a number");
  const auto floor = a.value.number->floor_int64();
  if (!floor) {  // beyond every 64-bit integer
    const auto order = columns::Decimal() <=> *a.value.number;
    return each_row(column_, [&](size_t) { return holds(a.test, order); });
  }
  if (a.value.number->is_whole())
    return each_row(column_, [&](size_t r) { return holds(a.test, column_.integers[r] <=> *floor); });
  return each_row(column_, [&](size_t r) { return holds(a.test, column_.integers[r] <= *floor ? -1 : 1); });
}

std::vector<Truth> ColumnTests::against_reals(const Against& a) const {
  if (!a.value.number) a.mismatch("a number", "compare it with a number");
  const double number = columns::nearest_in(column_.precision, *a.value.number);
  auto truths = each_row(column_, [&](size_t r) { return holds(a.test, column_.reals[r] <=> number); });
  for (size_t r = 0; r < rows_; ++r)
    if (std::isnan(column_.reals[r])) truths[r] = kUnknown;
  return truths;
}

// Compares the nearest doubles, and the digits if these are equal.
std::vector<Truth> ColumnTests::against_numbers_in_text(const Against& a) const {
  const double number = a.value.number->as_double();
  return each(numbers(), nearest_double, [&](size_t r, double cell) {
    return cell != number ? holds(a.test, cell < number ? -1 : 1)
                          : holds(a.test, *columns::Decimal::parse(column_.text_of(r)) <=> *a.value.number);
  });
}

std::vector<Truth> ColumnTests::against_list(const Against& a) const {
  if (is_order(a.test))
    fail_filter(a.expression, a.node.at,
                fmt::format("field '{}' is a list: only =, != and in apply to it", a.node.field));
  const auto key = columns::value_key(a.value.text);
  return each_row(column_, [&](size_t r) {
    bool any = false;
    column_.for_each_element(r, '\0', [&](std::string_view element) {
      any = any || element == a.value.text || (key && columns::value_key(element) == key);
    });
    return any;
  });
}

std::vector<Truth> ColumnTests::against_text(const Against& a) const {
  const auto& value = a.value;
  const auto& judge = a.judge;
  const bool order = is_order(a.test);
  if (value.number) {
    if (judge.numbers().fits) return against_numbers_in_text(a);
    if (order && value.kind == FilterValue::Kind::number)
      a.mismatch(fmt::format("text (such as '{}')", judge.numbers().misfit),
                 "put the value in quotes to compare as text");
  } else if (const auto time = as_date(value.text)) {
    if (judge.times().fits)
      return each(times(), as_date, [&](size_t, int64_t cell) { return holds(a.test, cell <=> *time); });
  }
  if (const auto wanted = as_boolean(value.text)) {
    if (order && value.kind == FilterValue::Kind::boolean) a.mismatch("text", "compare it with a text");
    if (!order && judge.booleans().fits)
      return each(booleans(), as_boolean, [&](size_t, bool cell) { return cell == *wanted; });
  }
  if (order && !value.number && judge.numbers().fits && judge.numbers().any)
    a.mismatch("a number", "compare it with a number");
  // Two spellings of one value are equal; orders compare bytes.
  const auto key = order ? std::nullopt : columns::value_key(value.text);
  std::vector<Truth> truths(rows_);
  for (size_t r = 0; r < rows_; ++r) {
    const std::string_view cell = column_.is_null(r) ? std::string_view() : column_.text_of(r);
    truths[r] = cell.empty() ? kUnknown
                             : truth(holds(a.test, cell <=> std::string_view(value.text)) ||
                                     (key && columns::value_key(cell) == key));
  }
  return truths;
}

}  // namespace pagoda::predicate
