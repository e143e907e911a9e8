// A column of answers (data.clicked): whether what a row shows was taken.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "columns/column.h"

namespace pagoda::data {

// 1 and 0 as numbers, true, false, yes, no; nothing for anything else, such as another number, which is a count or a
// grade and no answer.
std::optional<bool> answer_of(std::string_view text);
// Of a cell; `scratch` as in Column::as_text().
std::optional<bool> answer_of(const columns::Column& column, size_t row, std::string& scratch);

}  // namespace pagoda::data
