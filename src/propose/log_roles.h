// Which files and columns make a log and its tables, for commands without a config: given by flags, or inferred from
// names and values.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "propose/survey.h"
#include "data/inference.h"
#include "formats/reader.h"

namespace pagoda::propose {

formats::ReaderOptions one_file(const std::string& path, const columns::TableForm& form = {});

std::string names_of(const data::TableGuess& guess);  // of its columns: "user_id, item_id"

// Completes `told` from the guess; a column has one role only. Error{input}, ending with `remedy`: users or items have
// no column.
LogColumns log_columns(const data::TableGuess& guess, LogColumns told, const std::string& path,
                       std::string_view remedy);

// The column of the table (`file` names it) that holds most of the log's ids, whether or not it is named as in the log
// (`like`). Error{input}: none does; the message says in which other spelling one would.
const TableColumnSurvey& id_column(const TableSurvey& survey, const data::TableGuess& guess,
                                   const columns::Interner& ids, const formats::ReaderOptions& file,
                                   const std::string& like);

}  // namespace pagoda::propose
