#include "index/filter.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>

#include "core/suggest.h"
#include "index/filter_syntax.h"

namespace pagoda {
namespace {

// Three-valued: `and` is the least, `or` the greatest, `not` the mirror image. Only `yes` matches.
using Truth = uint8_t;
constexpr Truth kNo = 0, kUnknown = 1, kYes = 2;
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

class Evaluator {
 public:
  Evaluator(std::string_view expression, const Attributes& attributes)
      : expression_(expression), attributes_(attributes), rows_(attributes.rows()) {}

  // The truth of each attribute row.
  std::vector<Truth> evaluate(const FilterNode& node) {
    switch (node.kind) {
      case FilterNode::Kind::seen: fail_seen(node.at);
      case FilterNode::Kind::test: return test(node);
      case FilterNode::Kind::negation: {
        auto truths = evaluate(node.children[0]);
        invert(truths);
        return truths;
      }
      case FilterNode::Kind::all_of:
      case FilterNode::Kind::any_of: break;
    }
    auto truths = evaluate(node.children[0]);
    for (size_t c = 1; c < node.children.size(); ++c) {
      const auto more = evaluate(node.children[c]);
      const bool all = node.kind == FilterNode::Kind::all_of;
      for (size_t r = 0; r < rows_; ++r) truths[r] = all ? std::min(truths[r], more[r]) : std::max(truths[r], more[r]);
    }
    return truths;
  }

  [[noreturn]] void fail_seen(size_t at) const {
    fail_filter(
        expression_, at,
        "'seen' can stand only as 'not seen', joined to the rest by 'and'; write an attribute of that name as `seen`");
  }

 private:
  // A text column read as numbers, times or true/false; `fits` when each cell that is there is such a one.
  template <class T>
  struct Reading {
    bool fits = true, done = false;
    std::string stranger;  // a cell that is none
    std::vector<std::optional<T>> cells;
  };
  struct Readings {
    Reading<double> numbers;
    Reading<int64_t> times;
    Reading<bool> booleans;
  };

  template <class T, class Parse>
  const Reading<T>& read(const Column& column, Reading<T>& reading, Parse parse) {
    if (std::exchange(reading.done, true)) return reading;
    std::string scratch;
    for (size_t r = 0; r < rows_ && reading.fits; ++r) {
      reading.cells.push_back(column.absent(r) ? std::nullopt : parse(r));
      if (!reading.cells.back() && !column.absent(r))
        reading.fits = false, reading.stranger = column.as_text(r, scratch);
    }
    return reading;
  }
  const Reading<double>& numbers(const Column& column) {
    return read(column, readings_[&column].numbers, [&](size_t r) { return column.as_number(r); });
  }
  const Reading<int64_t>& times(const Column& column) {
    return read(column, readings_[&column].times, [&](size_t r) { return column.as_time_us(r); });
  }
  const Reading<bool>& booleans(const Column& column) {
    std::string scratch;
    return read(column, readings_[&column].booleans,
                [&](size_t r) -> std::optional<bool> { return as_boolean(column.as_text(r, scratch)); });
  }

  template <class Cell>
  std::vector<Truth> each_row(const Column& column, Cell holds) const {
    std::vector<Truth> truths(rows_);
    for (size_t r = 0; r < rows_; ++r) truths[r] = column.is_null(r) ? kUnknown : truth(holds(r));
    return truths;
  }
  template <class T>
  static std::vector<Truth> each_reading(const Reading<T>& reading, FilterTest test, T value) {
    std::vector<Truth> truths;
    for (const auto& cell : reading.cells) truths.push_back(cell ? truth(compare<T>(test, *cell, value)) : kUnknown);
    return truths;
  }
  static void invert(std::vector<Truth>& truths) {
    for (auto& t : truths) t = kYes - t;
  }

  std::vector<Truth> test(const FilterNode& node) {
    const Column* column = attributes_.find(node.field);
    if (!column) {
      const auto known = attributes_.names();
      fail_filter(expression_, node.at,
                  fmt::format("unknown field '{}' in filter{}", node.field, suggestion(node.field, known)));
    }
    if (node.test == FilterTest::is_true) return is_true(node, *column);
    const bool negated = node.test == FilterTest::not_equal || node.test == FilterTest::not_in;
    const FilterTest test = is_order(node.test) ? node.test : FilterTest::equal;
    auto truths = against(node, *column, test, node.values[0]);
    for (size_t v = 1; v < node.values.size(); ++v) {
      const auto more = against(node, *column, test, node.values[v]);
      for (size_t r = 0; r < rows_; ++r) truths[r] = std::max(truths[r], more[r]);
    }
    if (negated) invert(truths);
    return truths;
  }

  std::vector<Truth> is_true(const FilterNode& node, const Column& column) {
    if (column.type == ColumnType::boolean) return each_row(column, [&](size_t r) { return column.integers[r] != 0; });
    if (column.type == ColumnType::text)
      if (const auto& reading = booleans(column); reading.fits) return each_reading(reading, FilterTest::equal, true);
    fail_filter(expression_, node.at,
                fmt::format("field '{}' is not true or false: compare it with a value", node.field));
  }

  // Each row's cell against one value.
  std::vector<Truth> against(const FilterNode& node, const Column& column, FilterTest test, const FilterValue& value) {
    switch (column.type) {
      case ColumnType::integer:
      case ColumnType::real: return against_number(node, column, test, value);
      case ColumnType::time: {
        const auto time = value.kind == FilterValue::Kind::boolean ? std::nullopt : parse_time_us(value.text);
        if (!time) mismatch(node, value, "a time", "compare it with a time like \"2024-01-01\"");
        return each_row(column, [&](size_t r) { return compare(test, column.integers[r], *time); });
      }
      case ColumnType::boolean: {
        const auto wanted = as_boolean(value.text);
        if (!wanted) mismatch(node, value, "true or false", "compare it with true or false");
        if (is_order(test))
          fail_filter(expression_, node.at, fmt::format("field '{}' is true or false: it has no order", node.field));
        return each_row(column, [&](size_t r) { return (column.integers[r] != 0) == *wanted; });
      }
      case ColumnType::texts:
        if (is_order(test))
          fail_filter(expression_, node.at,
                      fmt::format("field '{}' is a list: only =, != and in apply to it", node.field));
        return each_row(column, [&](size_t r) {
          bool any = false;
          column.for_each_element(r, '\0', [&](std::string_view element) {
            any = any || element == value.text ||
                  (value.kind == FilterValue::Kind::number && parse_number(element) == value.number);
          });
          return any;
        });
      case ColumnType::text: break;
    }
    return against_text(node, column, test, value);
  }

  std::vector<Truth> against_number(const FilterNode& node, const Column& column, FilterTest test,
                                    const FilterValue& value) {
    std::optional<double> number = value.number;
    if (value.kind == FilterValue::Kind::text) number = parse_number(value.text);
    if (value.kind == FilterValue::Kind::boolean || !number)
      mismatch(node, value, "a number", "compare it with a number");
    if (column.type == ColumnType::real) {
      auto truths = each_row(column, [&](size_t r) { return compare(test, column.reals[r], *number); });
      for (size_t r = 0; r < rows_; ++r)
        if (std::isnan(column.reals[r])) truths[r] = kUnknown;
      return truths;
    }
    if (value.integer)
      return each_row(column, [&](size_t r) { return compare(test, column.integers[r], *value.integer); });
    return each_row(column, [&](size_t r) { return compare(test, static_cast<double>(column.integers[r]), *number); });
  }

  std::vector<Truth> against_text(const FilterNode& node, const Column& column, FilterTest test,
                                  const FilterValue& value) {
    if (value.kind == FilterValue::Kind::number) {
      const auto& reading = numbers(column);
      if (reading.fits) return each_reading(reading, test, value.number);
      if (is_order(test))
        mismatch(node, value, fmt::format("text (such as '{}')", reading.stranger),
                 "put the value in quotes to compare as text");
    }
    if (value.kind == FilterValue::Kind::boolean) {
      if (is_order(test)) mismatch(node, value, "text", "compare it with a text");
      if (const auto& reading = booleans(column); reading.fits) return each_reading(reading, test, value.boolean);
    }
    if (value.kind == FilterValue::Kind::text && !parse_number(value.text)) {
      if (const auto time = parse_time_us(value.text))
        if (const auto& reading = times(column); reading.fits) return each_reading(reading, test, *time);
    }
    std::vector<Truth> truths(rows_);
    std::string scratch;
    for (size_t r = 0; r < rows_; ++r) {
      const std::string_view cell = column.is_null(r) ? std::string_view() : column.as_text(r, scratch);
      truths[r] = cell.empty() ? kUnknown : truth(compare<std::string_view>(test, cell, value.text));
    }
    return truths;
  }

  [[noreturn]] void mismatch(const FilterNode& node, const FilterValue& value, std::string_view is,
                             std::string_view remedy) const {
    const char* kind = value.kind == FilterValue::Kind::number ? "the number "
                       : value.kind == FilterValue::Kind::text ? "the text "
                                                               : "";
    fail_filter(expression_, value.at,
                fmt::format("field '{}' is {} and can not be compared with {}{}; {}", node.field, is, kind, value.text,
                            remedy));
  }

  std::string_view expression_;
  const Attributes& attributes_;
  size_t rows_;
  std::map<const Column*, Readings> readings_;
};

// Takes the conjuncts `not seen` out of the top of the tree; false when nothing is left of it.
bool take_not_seen(FilterNode& node, bool& not_seen) {
  if (node.kind == FilterNode::Kind::negation && node.children[0].kind == FilterNode::Kind::seen) {
    not_seen = true;
    return false;
  }
  if (node.kind != FilterNode::Kind::all_of) return true;
  std::erase_if(node.children, [&](FilterNode& child) { return !take_not_seen(child, not_seen); });
  return !node.children.empty();
}

}  // namespace

Filter compile_filter(std::string_view expression, const Attributes& attributes, std::span<const uint32_t> row_of,
                      size_t items) {
  check(row_of.size() == attributes.rows(), "each attribute row has its item row");
  FilterNode root = parse_filter(expression);
  Filter filter;
  if (!take_not_seen(root, filter.not_seen)) {
    filter.items = ItemSet(items, true);
    return filter;
  }
  filter.items = ItemSet(items);
  const auto truths = Evaluator(expression, attributes).evaluate(root);
  for (size_t r = 0; r < truths.size(); ++r) {
    if (truths[r] != kYes || row_of[r] == Interner::kNone) continue;
    check(row_of[r] < items, "an item row of the catalogue");
    filter.items.add(row_of[r]);
  }
  return filter;
}

}  // namespace pagoda
