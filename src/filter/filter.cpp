#include "filter/filter.h"

#include <algorithm>
#include <map>

#include "core/suggest.h"
#include "filter/column_tests.h"
#include "filter/filter_syntax.h"

namespace pagoda::filter {
namespace {

// The truth for an item without attributes.
Truth of_nothing(const FilterNode& node) {
  if (node.kind == FilterNode::Kind::test)
    return node.test == FilterTest::is_null ? kYes : node.test == FilterTest::is_not_null ? kNo : kUnknown;
  if (node.kind == FilterNode::Kind::negation) return static_cast<Truth>(kYes - of_nothing(node.children[0]));
  const bool all = node.kind == FilterNode::Kind::all_of;
  Truth truth = all ? kYes : kNo;
  for (const auto& child : node.children)
    truth = all ? std::min(truth, of_nothing(child)) : std::max(truth, of_nothing(child));
  return truth;
}

class Evaluator {
 public:
  Evaluator(std::string_view expression, const data::Attributes& attributes)
      : expression_(expression), attributes_(attributes), rows_(attributes.rows()) {}

  // The truth of each attribute row.
  std::vector<Truth> evaluate(const FilterNode& node) {
    switch (node.kind) {
      case FilterNode::Kind::seen: fail_seen(expression_, node.at);
      case FilterNode::Kind::test: {
        const columns::Column& column = filter_column(expression_, node, attributes_);
        return tests_.try_emplace(&column, column).first->second.test(expression_, node);
      }
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

 private:
  std::string_view expression_;
  const data::Attributes& attributes_;
  size_t rows_;
  std::map<const columns::Column*, ColumnTests> tests_;
};

}  // namespace

const columns::Column& filter_column(std::string_view expression, const FilterNode& node,
                                     const data::Attributes& attributes) {
  const columns::Column* column = attributes.find(node.field);
  if (!column) {
    const auto known = attributes.names();
    fail_filter(expression, node.at,
                fmt::format("unknown field '{}' in filter{}", node.field, suggestion(node.field, known)));
  }
  return *column;
}

Filter evaluate_filter_rowwise(std::string_view expression, const data::Attributes& attributes,
                               std::span<const uint32_t> row_of, size_t items) {
  check(row_of.size() == attributes.rows(), "each attribute row has its item row");
  FilterNode root = parse_filter(expression);
  Filter filter;
  if (!take_not_seen(root, filter.not_seen)) {
    filter.items = math::ItemSet(items, true);
    return filter;
  }
  filter.items = math::ItemSet(items, of_nothing(root) == kYes);
  const auto truths = Evaluator(expression, attributes).evaluate(root);
  for (size_t r = 0; r < truths.size(); ++r) {
    if (row_of[r] == columns::Interner::kNone) continue;
    check(row_of[r] < items, "row_of holds item rows of the catalogue");
    truths[r] == kYes ? filter.items.add(row_of[r]) : filter.items.remove(row_of[r]);
  }
  return filter;
}

}  // namespace pagoda::filter
