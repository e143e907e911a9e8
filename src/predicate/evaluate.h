// Joins the truths of tests as an expression says.
#pragma once

#include <algorithm>
#include <string_view>
#include <vector>

#include "predicate/column_tests.h"
#include "predicate/syntax.h"

namespace pagoda::predicate {

// The truth of each row: `test(node)` gives that of a single test. Error{usage}: `seen` stands where it may not.
template <class Test>
std::vector<Truth> evaluate(std::string_view expression, const FilterNode& node, Test&& test) {
  if (node.kind == FilterNode::Kind::seen) fail_seen(expression, node.at);
  if (node.kind == FilterNode::Kind::test) return test(node);
  auto truths = evaluate(expression, node.children[0], test);
  if (node.kind == FilterNode::Kind::negation) {
    invert(truths);
    return truths;
  }
  const bool all = node.kind == FilterNode::Kind::all_of;
  for (size_t c = 1; c < node.children.size(); ++c) {
    const auto more = evaluate(expression, node.children[c], test);
    for (size_t r = 0; r < truths.size(); ++r)
      truths[r] = all ? std::min(truths[r], more[r]) : std::max(truths[r], more[r]);
  }
  return truths;
}

}  // namespace pagoda::predicate
