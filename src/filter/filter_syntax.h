// The syntax of filter.h as a tree.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "columns/decimal.h"
#include "core/error.h"

namespace pagoda::filter {

struct FilterValue {
  enum class Kind { number, text, boolean } kind;
  std::string text;                        // a number as it was written; a text without its quotes
  std::optional<columns::Decimal> number;  // of a number, and of a text that is one
  bool boolean = false;
  size_t at = 0;  // its byte in the expression
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
  std::vector<FilterNode> children;  // of all_of, any_of, negation
  std::string field;                 // of a test
  FilterTest test = FilterTest::is_true;
  std::vector<FilterValue> values;  // none for is_true and is_null, one or more for in and not_in, else one
  size_t at = 0;
};

FilterNode parse_filter(std::string_view expression);

// Takes the conjuncts `not seen` out of the top of the tree; false when nothing is left of it.
bool take_not_seen(FilterNode& node, bool& not_seen);

// Error{usage}: `seen` stands where it can not.
[[noreturn]] void fail_seen(std::string_view expression, size_t at);

// Error{usage}: "<message> (at character N of the filter)", for byte `at` of the expression.
[[noreturn]] void fail_filter(std::string_view expression, size_t at, std::string_view message);

}  // namespace pagoda::filter
