#include "propose/log_proposal.h"

#include <algorithm>
#include <filesystem>

#include "core/error.h"
#include "core/file.h"
#include "core/suggest.h"
#include "data/missing_words.h"
#include "propose/column_lines.h"
#include "propose/log_roles.h"
#include "propose/table_proposal.h"

namespace pagoda::propose {

namespace {

// The same path with the last "train" of its file name made "test"; "" without one.
std::string test_file_of(const std::string& path) {
  const std::filesystem::path p(path);
  auto name = p.filename().string();
  const size_t at = name.rfind("train");
  if (at == name.npos) return "";
  name.replace(at, 5, "test");
  return (p.parent_path() / name).string();
}

// Logs that come cut already, as train.txt and test.txt: the cut that others' figures are on.
void take_given_split(Proposal& p) {
  auto& data = p.options.data;
  std::vector<std::string> train, test;
  for (const auto& path : data.interactions) {
    const auto partner = test_file_of(path);
    if (partner.empty() || !file_exists(partner)) continue;
    train.push_back(path);
    test.push_back(partner);
  }
  // Every file has its test file, or is one.
  for (const auto& path : data.interactions)
    if (std::find(train.begin(), train.end(), path) == train.end() &&
        std::find(test.begin(), test.end(), path) == test.end())
      return;
  if (test.empty()) return;
  data.interactions = train;
  data.split = {.kind = data::SplitKind::given, .validation = "0.1", .test_files = test};
  p.say("Split as given: {} is the test part; the tail of each user's list in {} is for validation.", test[0],
        train[0]);
}

// The flags over the settings.
void take_form(dataset::DataOptions& data, const Request& request) {
  if (!request.separator.empty()) data.form.separator = request.separator;
  if (!request.columns.empty()) data.form.columns = request.columns;
  if (request.no_header) data.form.header = columns::Header::no;
  if (!request.format.empty()) data.format = request.format;
  if (data.format == "auto") data.format = format_of(request.interactions[0], data.form);
}

// Columns that flags name. Error{usage}: the log has none so named.
LogColumns told_columns(const data::TableGuess& guess, const Request& request) {
  std::vector<std::string> names;
  for (const auto& c : guess.columns) names.push_back(c.name);
  for (const auto& [flag, name] : {std::pair("--user", request.user), std::pair("--item", request.item),
                                   std::pair("--time", request.time), std::pair("--weight", request.weight)})
    if (!name.empty() && std::ranges::count(names, name) == 0)
      fail(ErrorKind::usage, "{} {}: {} has no such column{}", flag, name, request.interactions[0],
           suggestion(name, names));
  return {request.user, request.item, request.time, request.weight};
}

// Words such as NA that stand in the ids: a stranger of that name would have all these rows.
void take_null_values(Proposal& p, const data::TableGuess& guess) {
  auto& words = p.options.data.form.null_values;
  if (!words.empty()) return;
  for (const auto& c : guess.columns) {
    if (c.name != p.options.data.user && c.name != p.options.data.item) continue;
    for (const auto& [word, cells] : c.missing) {
      const double share = static_cast<double>(cells) / static_cast<double>(guess.sampled_rows);
      if (share <= 0.01 || std::ranges::count(words, word) > 0) continue;
      words.push_back(word);
      p.say(
          "'{}' stands in {:.1f}% of '{}' and usually means missing: data.null_values says so, here and in all "
          "columns. "
          "Take it out there if it is an id.",
          word, 100 * share, c.name);
    }
  }
}

}  // namespace

LogSurvey take_log(Proposal& p, const Request& request) {
  auto& data = p.options.data;
  data.interactions = request.interactions;
  take_form(data, request);
  formats::ReaderOptions files;
  files.paths = data.interactions;
  files.form = data.form;
  if (data.format != "auto") files.format = files::format_from_name(data.format);
  const auto guess = data::guess_interactions(files);
  const auto columns = log_columns(
      guess, told_columns(guess, request), request.interactions[0],
      fmt::format("Say it with `pagoda init {} --user COLUMN --item COLUMN`, or in a config as data.user and "
                  "data.item",
                  request.interactions[0]));
  data.user = columns.user;
  data.item = columns.item;
  data.time = columns.time;
  data.weight = columns.weight;
  if (data.time.empty() && !request.split_told) take_given_split(p);
  take_null_values(p, guess);
  files.form = data.form;
  files.paths = data.interactions;
  LogSurvey log = survey_log(files, data.user, data.item, data.time, data.weight, data.times, data.trust_clock);
  if (log.rows == 0)
    fail(ErrorKind::input, "{}: no row has both a user ('{}') and an item ('{}')", request.interactions[0], data.user,
         data.item);

  auto line = fmt::format("{}: {} rows, {} users, {} items", data.interactions[0], log.rows, log.users.size(),
                          log.items.size());
  if (!log.time_us.empty())
    line += fmt::format(", from {} to {}", columns::format_time_us(log.time_us.front()),
                        columns::format_time_us(log.time_us.back()));
  p.seen.push_back(line + fmt::format("; by its first {} rows:", guess.sampled_rows));
  for (auto& text : lines_of(guess)) p.seen.push_back(std::move(text));
  for (const auto& text : log.notices.texts()) p.say("{}.", text);
  for (const auto& text : guess.notices.texts()) {  // of the columns that the survey of the whole log does not read
    const auto is_of = [&](const std::string& column) { return text.starts_with(fmt::format("column '{}':", column)); };
    if (text.starts_with("column ") && !is_of(data.user) && !is_of(data.item) && !is_of(data.time) &&
        !is_of(data.weight))
      p.say("{}.", text);
  }
  say_missing(p, guess, request.interactions[0], data.form);

  if (!log.times_said.empty())
    p.say("'{}': {}. data.time_unit and data.date_order say it otherwise.", data.time, log.times_said);
  if (!log.open_date.empty())
    p.say(
        "'{}' has dates of which no row tells whether the day or the month comes first ({}): training stops at them "
        "until "
        "data.date_order is \"day_first\" or \"month_first\".",
        data.time, log.open_date);
  if (log.rows_of_bad_clocks > 0)
    p.say(
        "{} of {} rows have a time that cannot be, in the future or long before the others (the first is {}). The "
        "split is "
        "made without them; training stops at the first of them. data.on_bad_row = \"skip\" leaves them out{}, "
        "data.clock = "
        "\"trust\" takes them as they are.",
        log.rows_of_bad_clocks, log.rows, log.bad_clock,
        log.rows_of_bad_clocks > static_cast<uint64_t>(data.bad_rows.limit) ? ", with a data.bad_row_limit above that"
                                                                            : "");
  if (log.rows_without_weight > 0) {
    p.say("'{}' is no weight: {} rows have none above 0.", data.weight, log.rows_without_weight);
    data.weight.clear();
  }
  for (const auto& [rows, what] :
       {std::pair(log.rows_without_id, "no user or no item"), std::pair(log.rows_without_time, "no time")})
    if (rows > 0)
      p.say("{} rows have {}: training stops at the first of them. data.on_bad_row = \"skip\" leaves them out{}.", rows,
            what, rows > static_cast<uint64_t>(data.bad_rows.limit) ? ", with a data.bad_row_limit above that" : "");
  for (const auto& c : guess.columns)
    if (c.role == "context") {
      data.context.push_back(c.name);
      p.options.towers.user.features.push_back(feature(c.name, features::FeatureKind::categorical));
      p.say(
          "'{}' is taken as context, known at the moment of a request. Take it out of data.context and "
          "[[user.features]] if "
          "it is not.",
          c.name);
    }
  return log;
}

}  // namespace pagoda::propose
