#include "propose/log_roles.h"

#include <algorithm>
#include <filesystem>

#include "core/error.h"
#include "data/id_overlap.h"

namespace pagoda::propose {

formats::ReaderOptions one_file(const std::string& path, const columns::TableForm& form) {
  formats::ReaderOptions o;
  o.form = form;
  o.paths = {path};
  return o;
}

std::string names_of(const data::TableGuess& guess) {
  std::string names;
  for (const auto& c : guess.columns) names += (names.empty() ? "" : ", ") + c.name;
  return names;
}

LogColumns log_columns(const data::TableGuess& guess, LogColumns told, const std::string& path,
                       std::string_view remedy) {
  const auto take = [&](std::string& column, std::string_view role) {
    const auto* guessed = guess.by_role(role);
    if (!column.empty() || !guessed) return;
    const auto& name = guessed->name;
    if (name != told.user && name != told.item && name != told.time && name != told.weight) column = name;
  };
  take(told.user, "user");
  take(told.item, "item");
  take(told.time, "time");
  take(told.weight, "weight");
  if (told.user.empty() || told.item.empty())
    fail(ErrorKind::input, "{}: which column holds the {} is not clear; its columns are {}. {}", path,
         !told.user.empty()   ? "items"
         : !told.item.empty() ? "users"
                              : "users, and which the items,",
         names_of(guess), remedy);
  return told;
}

namespace {

// In which spelling, and of which column, most of the ids would stand in the file; "" in none.
std::string other_spelling(const formats::ReaderOptions& file, const columns::Interner& ids) {
  const auto reader = formats::open_reader(file);
  std::vector<columns::Interner> columns(reader->columns().size());
  columns::RawBatch batch;
  std::string scratch;
  while (reader->next(batch))
    for (size_t c = 0; c < columns.size(); ++c)
      for (size_t row = 0; row < batch.rows && batch.columns[c].type != columns::ColumnType::texts; ++row)
        if (const auto text = batch.columns[c].as_text(row, scratch); !text.empty()) columns[c].add(text);
  size_t most = 0;
  std::string hint;
  for (size_t c = 0; c < columns.size(); ++c)
    if (const auto meeting = data::count_overlap({&ids}, {&columns[c]});
        meeting.change && meeting.change->more > most) {
      most = meeting.change->more;
      hint = fmt::format("; in column '{}',{}", reader->columns()[c], data::spelling_hint(meeting).substr(1));
    }
  return hint;
}

}  // namespace

const TableColumnSurvey& id_column(const TableSurvey& survey, const data::TableGuess& guess,
                                   const columns::Interner& ids, const formats::ReaderOptions& file,
                                   const std::string& like) {
  const auto* guessed = guess.by_role("id");
  // A few rows may come twice; but a year that happens to look like an id comes all the time.
  const auto is_key = [](const TableColumnSurvey& c) { return c.repeated < c.known; };
  const auto better = [&](const TableColumnSurvey& a, const TableColumnSurvey& b) {
    const auto rank = [&](const TableColumnSurvey& c) {
      return std::pair(is_key(c) ? c.known : 0, c.name == like ? 2 : guessed && c.name == guessed->name ? 1 : 0);
    };
    return rank(a) < rank(b);
  };
  const auto best = std::max_element(survey.columns.begin(), survey.columns.end(), better);
  if (best->known == 0 || !is_key(*best))
    fail(ErrorKind::input,
         "{}: none of its columns ({}) holds ids of the log's column '{}', such as '{}'{}; give the table that "
         "belongs to the log, or leave it out",
         file.paths[0], names_of(guess), like, ids[0], other_spelling(file, ids));
  return *best;
}

}  // namespace pagoda::propose
