#include "serve/request_table.h"

#include <algorithm>

namespace pagoda {

Attributes request_table(const std::vector<std::string>& columns, const std::vector<std::string>& ids,
                         std::span<const std::vector<RequestFeature>* const> rows) {
  Attributes table;
  for (const auto& id : ids) table.ids.add(id);
  for (const auto& name : columns) {
    auto& column = table.columns.emplace_back();
    column.name = name;
    std::vector<const RequestFeature*> cells;
    for (const auto* row : rows) {
      const auto at = std::find_if(row->begin(), row->end(), [&](const auto& f) { return f.name == name; });
      cells.push_back(at == row->end() ? nullptr : &*at);
      if (cells.back() && cells.back()->is_list) column.type = ColumnType::texts;
    }
    for (const auto* cell : cells) {
      if (!cell) {
        column.push_null();
      } else if (column.type == ColumnType::texts) {
        for (const auto& value : cell->values) column.push_element(value);
        column.end_list();
      } else {
        column.push_text(cell->values[0]);
      }
    }
  }
  return table;
}

}  // namespace pagoda
