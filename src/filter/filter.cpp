#include "filter/filter.h"

#include <algorithm>
#include <map>

#include "core/suggest.h"
#include "predicate/evaluate.h"

namespace pagoda::filter {
namespace {

// The truth for an item without attributes.
predicate::Truth of_nothing(const predicate::FilterNode& node) {
  if (node.kind == predicate::FilterNode::Kind::test)
    return node.test == predicate::FilterTest::is_null       ? predicate::kYes
           : node.test == predicate::FilterTest::is_not_null ? predicate::kNo
                                                             : predicate::kUnknown;
  if (node.kind == predicate::FilterNode::Kind::negation)
    return static_cast<predicate::Truth>(predicate::kYes - of_nothing(node.children[0]));
  const bool all = node.kind == predicate::FilterNode::Kind::all_of;
  predicate::Truth truth = all ? predicate::kYes : predicate::kNo;
  for (const auto& child : node.children)
    truth = all ? std::min(truth, of_nothing(child)) : std::max(truth, of_nothing(child));
  return truth;
}

}  // namespace

const columns::Column& filter_column(std::string_view expression, const predicate::FilterNode& node,
                                     const data::Attributes& attributes) {
  const columns::Column* column = attributes.find(node.field);
  if (!column) {
    const auto known = attributes.names();
    predicate::fail_filter(expression, node.at,
                           fmt::format("unknown field '{}' in filter{}", node.field, suggestion(node.field, known)));
  }
  return *column;
}

Filter evaluate_filter_rowwise(std::string_view expression, const data::Attributes& attributes,
                               std::span<const uint32_t> row_of, size_t items) {
  check(row_of.size() == attributes.rows(), "each attribute row has its item row");
  predicate::FilterNode root = predicate::parse_filter(expression);
  Filter filter;
  if (!predicate::take_not_seen(root, filter.not_seen)) {
    filter.items = math::ItemSet(items, true);
    return filter;
  }
  filter.items = math::ItemSet(items, of_nothing(root) == predicate::kYes);
  std::map<const columns::Column*, predicate::ColumnTests> tests;
  const auto truths = predicate::evaluate(expression, root, [&](const predicate::FilterNode& node) {
    const columns::Column& column = filter_column(expression, node, attributes);
    return tests.try_emplace(&column, column).first->second.test(expression, node);
  });
  for (size_t r = 0; r < truths.size(); ++r) {
    if (row_of[r] == columns::Interner::kNone) continue;
    check(row_of[r] < items, "row_of holds item rows of the catalogue");
    truths[r] == predicate::kYes ? filter.items.add(row_of[r]) : filter.items.remove(row_of[r]);
  }
  return filter;
}

}  // namespace pagoda::filter
