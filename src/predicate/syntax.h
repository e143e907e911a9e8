// The language of tests on columns, parsed into a tree; the grammar is at the top of filter/filter.h.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "columns/decimal.h"
#include "core/error.h"

namespace pagoda::predicate {

struct FilterValue {
  enum class Kind { number, text, boolean } kind;
  std::string text;                        // a number as written; a text without quotes
  std::optional<columns::Decimal> number;  // of a number, or a text that reads as one
  bool boolean = false;
  size_t at = 0;  // byte offset in the expression
};

enum class FilterTest {
  is_true,
  is_null,
  is_not_null,
  equal,
  not_equal,
  less,
  less_equal,
  greater,
  greater_equal,
  in,
  not_in
};

struct FilterNode {
  enum class Kind { all_of, any_of, negation, test, seen } kind;
  std::vector<FilterNode> children;  // for all_of, any_of, negation
  std::string field;                 // for a test
  FilterTest test = FilterTest::is_true;
  std::vector<FilterValue>
      values;  // none for is_true, is_null and is_not_null; one or more for in and not_in; otherwise one
  size_t at = 0;
};

FilterNode parse_filter(std::string_view expression);  // Error{usage}, with the position

// Removes the conjuncts `not seen` from the top of the tree; returns false when nothing is left.
bool take_not_seen(FilterNode& node, bool& not_seen);

// Error{usage}: `seen` occurs where it is not allowed.
[[noreturn]] void fail_seen(std::string_view expression, size_t at);

// Error{usage}: "<message> (at character N of the filter)", for byte `at` of the expression.
[[noreturn]] void fail_filter(std::string_view expression, size_t at, std::string_view message);

}  // namespace pagoda::predicate
