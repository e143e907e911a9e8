#include "data/missing_words.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "columns/list_text.h"
#include "core/error.h"
#include "core/log.h"

namespace pagoda::data {

namespace {

// None begins with a digit, as most ids do.
constexpr std::string_view kWords[] = {
    "na",      "n/a",       "<na>",    "#n/a",      "null",    "(null)", "<null>", "nil",     "none",
    "(none)",  "nan",       "nat",     "\\n",       "-",       "--",     "?",      "unknown", "(not set)",
    "not set", "undefined", "missing", "(missing)", "(empty)", "empty",  "-nan",
};

std::string remedy_of_lists(const std::string& column) {
  return fmt::format("a row has one id: write one row per element (in pandas, df.explode('{}'))", column);
}

// The words found among the ids, and how many rows hold them.
struct Found {
  std::vector<std::string> words;
  uint64_t rows = 0;
};

Found missing_of(const columns::Interner& ids, const std::vector<uint32_t>& rows) {
  Found found;
  std::vector<uint8_t> missing;
  for (uint32_t id = 0; id < ids.size(); ++id) {
    if (!usually_means_missing(ids[id]) && ids[id] != "-1") continue;
    missing.resize(ids.size());
    missing[id] = 1;
    found.words.emplace_back(ids[id]);
  }
  if (!missing.empty())
    for (const uint32_t id : rows) found.rows += missing[id];
  return found;
}

void look_at(const columns::Interner& ids, const std::vector<uint32_t>& rows, const std::string& column,
             const InteractionOptions& options) {
  const auto found = missing_of(ids, rows);
  if (found.rows * 100 > rows.size())
    log_warning(
        "column '{}': {} of {} rows ({:.1f}%) hold '{}', which usually means missing, but is read as an id; "
        "if it is not an id, set {}",
        column, found.rows, rows.size(), 100.0 * static_cast<double>(found.rows) / static_cast<double>(rows.size()),
        fmt::join(found.words, "', '"), null_values_remedy(options.form.keys, found.words));
  uint64_t lists = 0;
  for (uint32_t id = 0; id < ids.size(); ++id) lists += (ids[id].starts_with('[') && columns::parse_list(ids[id]));
  if (lists == 0) return;
  const auto remedy = remedy_of_lists(column);
  if (lists == ids.size())
    fail(ErrorKind::input, "{}: column '{}' holds lists, such as '{}'; {}", options.paths[0], column,
         ids[0].substr(0, 40), remedy);
  log_warning("column '{}': {} of its {} ids are lists, and are read as ids as they are; {}", column, lists, ids.size(),
              remedy);
}

}  // namespace

bool usually_means_missing(std::string_view text) {
  text = columns::trim(text);
  if (text.empty() || text.size() > 9 || (text[0] >= '0' && text[0] <= '9')) return false;
  char small[9];
  std::transform(text.begin(), text.end(), small, [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return std::ranges::find(kWords, std::string_view(small, text.size())) != std::end(kWords);
}

std::string null_values_remedy(std::string_view keys, const std::vector<std::string>& words) {
  std::string list;
  for (const auto& word : words) {
    list += list.empty() ? "\"" : ", \"";
    for (const char c : word) list += c == '\\' || c == '"' ? std::string{'\\', c} : std::string(1, c);
    list += '"';
  }
  return keys.empty() ? fmt::format("data.null_values = [{}] in a config", list)
                      : fmt::format("{}null_values = [{}]", keys, list);
}

void refuse_lists(const std::string& path, const columns::Column& ids) {
  if (ids.type == columns::ColumnType::texts)
    fail(ErrorKind::input, "{}: column '{}' holds lists; {}", path, ids.name, remedy_of_lists(ids.name));
}

void warn_of_odd_ids(const Interactions& log, const InteractionOptions& options) {
  look_at(log.users, log.user, options.user, options);
  look_at(log.items, log.item, options.item, options);
}

}  // namespace pagoda::data
