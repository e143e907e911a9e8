#include "predicate/row_predicate.h"

#include <fmt/format.h>

#include <algorithm>

#include "predicate/evaluate.h"

namespace pagoda::predicate {

namespace {

void collect_fields(std::string_view expression, const FilterNode& node, std::vector<std::string>& fields) {
  if (node.kind == FilterNode::Kind::seen) fail_seen(expression, node.at);
  if (node.kind == FilterNode::Kind::test && std::ranges::count(fields, node.field) == 0) fields.push_back(node.field);
  for (const auto& child : node.children) collect_fields(expression, child, fields);
}

// A column of a cell for each value of a test, so that the values decide how texts are compared.
columns::Column values_of(const FilterNode& node) {
  columns::Column column{.type = columns::ColumnType::text};
  for (const auto& value : node.values) column.push_text(value.text);
  if (node.test == FilterTest::is_true) column.push_text("true");
  return column;
}

}  // namespace

RowPredicate::RowPredicate(std::string expression, std::string key)
    : expression_(std::move(expression)), key_(std::move(key)) {
  if (expression_.empty()) return;
  try {
    root_ = parse_filter(expression_);
    collect_fields(expression_, root_, columns_);
  } catch (const Error& error) {
    fail(error.kind(), "{} = '{}': {}", key_, expression_, error.what());
  }
}

std::vector<bool> RowPredicate::holds(const columns::RawBatch& batch, std::span<const size_t> places,
                                      columns::Notices& notices) const {
  check(places.size() == columns_.size(), "the columns are those that the expression asks for");
  if (empty()) return {};
  const auto truths = evaluate(expression_, root_, [&](const FilterNode& node) {
    const auto at = std::ranges::find(columns_, node.field) - columns_.begin();
    const columns::Column& column = batch.columns[places[static_cast<size_t>(at)]];
    const auto values = values_of(node);
    const ColumnTests judge(values);
    auto truths = ColumnTests(column).test(expression_, node, &judge);
    uint64_t unfit = 0;
    for (size_t r = 0; r < truths.size(); ++r) unfit += truths[r] == kUnknown && !column.absent(r);
    notices.add(node.field, fmt::format("cells cannot be compared as {} says, and count as empty there", key_), unfit);
    return truths;
  });
  std::vector<bool> holds(truths.size());
  for (size_t r = 0; r < truths.size(); ++r) holds[r] = truths[r] == kYes;
  return holds;
}

}  // namespace pagoda::predicate
