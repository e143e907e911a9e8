#include "retrieval/request_table.h"

#include <algorithm>
#include <map>

namespace pagoda::retrieval {
namespace {

const RequestFeature* find(const std::vector<RequestFeature>& row, const std::string& name) {
  const auto at = std::ranges::find(row, name, &RequestFeature::name);
  return at == row.end() ? nullptr : &*at;
}

}  // namespace

std::vector<std::vector<size_t>> rows_by_shape(const std::vector<std::string>& columns,
                                               std::span<const std::vector<RequestFeature>* const> rows) {
  std::map<std::vector<bool>, std::vector<size_t>> of_shape;
  for (size_t i = 0; i < rows.size(); ++i) {
    if (rows[i]->empty()) continue;
    std::vector<bool> shape;
    for (const auto& name : columns) {
      const auto* cell = find(*rows[i], name);
      shape.push_back(cell && cell->is_list);
    }
    of_shape[shape].push_back(i);
  }
  std::vector<std::vector<size_t>> groups;
  for (auto& [shape, group] : of_shape) groups.push_back(std::move(group));
  return groups;
}

data::Attributes request_table(const std::vector<std::string>& columns, const std::vector<std::string>& ids,
                               std::span<const std::vector<RequestFeature>* const> rows) {
  data::Attributes table;
  for (const auto& id : ids) table.ids.add(id);
  for (const auto& name : columns) {
    auto& column = table.columns.emplace_back();
    column.name = name;
    for (const auto* row : rows)
      if (const auto* cell = find(*row, name); cell && cell->is_list) column.type = columns::ColumnType::texts;
    for (const auto* row : rows) {
      const auto* cell = find(*row, name);
      if (!cell) {
        column.push_null();
      } else if (column.type == columns::ColumnType::texts) {
        for (const auto& value : cell->values) column.push_element(value);
        column.end_list();
      } else {
        column.push_text(cell->values[0]);
      }
    }
  }
  return table;
}

}  // namespace pagoda::retrieval
