#include "propose/log_proposal.h"

#include <algorithm>
#include <filesystem>

#include "core/error.h"
#include "core/file.h"
#include "core/suggest.h"
#include "columns/conventional_names.h"
#include "data/missing_words.h"
#include "propose/column_lines.h"
#include "propose/column_meaning.h"
#include "propose/log_roles.h"
#include "propose/owned_columns.h"
#include "propose/row_questions.h"
#include "propose/table_proposal.h"
#include "text/form_survey.h"

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
  p.say(
      "Split as given: {} is the test part; a tenth of each user's list in {} is for validation: its end, or rows at "
      "random where the end is not like the test part.",
      test[0], train[0]);
}

// The flags over the settings, and over both what the bytes of the files say.
void take_form(Proposal& p, const Request& request) {
  auto& data = p.options.data;
  if (!request.separator.empty()) data.form.separator = request.separator;
  if (!request.encoding.empty()) data.form.encoding = request.encoding;
  if (!request.columns.empty()) data.form.columns = request.columns;
  if (request.no_header) data.form.header = columns::Header::no;
  if (!request.format.empty()) data.format = request.format;
  auto survey = text::survey_form(data.interactions, data.format, data.form);
  data.format = survey.format;
  data.form = std::move(survey.form);
  for (const auto& text : survey.guesses) p.ask("{} --columns, --format and --separator do, too.", text);
  for (const auto& text : survey.found) p.say("{}", text);
}

// Columns that flags name. Error{usage}: the log has none so named.
LogColumns told_columns(const data::TableGuess& guess, const Request& request) {
  std::vector<std::string> names;
  for (const auto& c : guess.columns) names.push_back(c.name);
  const LogColumns told{request.user, request.item, request.time.value_or(""), request.weight.value_or(""), ""};
  std::vector<std::pair<std::string, std::string>> flags{{"--user", told.user},
                                                         {"--item", told.item},
                                                         {"--time", told.time},
                                                         {"--weight", told.weight},
                                                         {"--clicked", request.clicked.value_or("")}};
  for (const auto& name : request.context) flags.emplace_back("--context", name);
  for (const auto& [flag, name] : flags)
    if (!name.empty() && std::ranges::count(names, name) == 0)
      fail(ErrorKind::usage, "{} {}: {} has no such column{}", flag, name, request.interactions[0],
           suggestion(name, names));
  return told;
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

// Who, what and when, by flags, names and values.
void take_roles(Proposal& p, data::TableGuess& guess, const Request& request) {
  auto& data = p.options.data;
  const auto columns = log_columns(
      guess, told_columns(guess, request), request.interactions[0],
      fmt::format("Say it with `pagoda init {} --user COLUMN --item COLUMN`, or in a config as data.user and "
                  "data.item",
                  request.interactions[0]));
  data.user = columns.user;
  data.item = columns.item;
  data.time = request.time && request.time->empty() ? "" : columns.time;
  data.weight = request.weight && request.weight->empty() ? "" : columns.weight;
  for (auto& c : guess.columns)
    for (const auto& [role, name, told] :
         {std::tuple("user", data.user, !request.user.empty()), std::tuple("item", data.item, !request.item.empty()),
          std::tuple("time", data.time, request.time.has_value())}) {
      if (c.name == name && c.role != role) {
        c.role = role;
        c.reason = "as told";
      } else if (c.name != name && c.role == role) {
        c.role.clear();
        c.reason = "another column is told";
      }
      if (c.name == name && told) c.by_name = true;
    }
}

// A column that its name calls the time, and that counts from a moment that is not 1970, still tells the order.
void look_for_other_clocks(Proposal& p, data::TableGuess& guess, const Request& request) {
  auto& data = p.options.data;
  if (!data.time.empty() || request.time) return;
  constexpr double kTwoDays = 2 * 86400;
  for (auto& c : guess.columns) {
    if (!columns::is_one_of(c.name, {"timestamp", "ts", "time", "event_time", "event_timestamp", "unix_time"}) ||
        c.type != columns::ColumnType::integer || c.least < 0 || c.most < kTwoDays || c.distinct < 200 ||
        c.name == data.user || c.name == data.item || c.null_share > 0)
      continue;
    data.time = c.name;
    if (data.times.unit == columns::TimeUnit::automatic) data.times.unit = columns::TimeUnit::s;
    c.role = "time";
    c.reason = "its name; it counts from a moment of its own";
    p.ask(
        "'{}' is taken as time, in seconds from an unknown start: its numbers are too small for times since 1970. "
        "--set "
        "data.time_unit=ms sets another unit, --time '' uses no time.",
        c.name);
    return;
  }
}

void ask_of_roles(Proposal& p, const data::TableGuess& guess, const Request& request) {
  const auto& data = p.options.data;
  std::vector<std::string> by_place;
  for (const auto& c : guess.columns) {
    const bool told = (c.name == data.user && !request.user.empty()) || (c.name == data.item && !request.item.empty());
    if ((c.name == data.user || c.name == data.item) && !c.by_name && !told)
      by_place.push_back(fmt::format("{} by '{}'", c.name == data.user ? "users" : "items", c.name));
    if (c.name == data.time && !c.by_name && !request.time && c.role == "time" && c.type != columns::ColumnType::time &&
        c.reason.starts_with("the one column"))
      p.ask(
          "'{}' is taken as time, since its numbers count from 1970. --time COLUMN sets another, --time '' uses none.",
          c.name);
  }
  if (!by_place.empty())
    p.ask(
        "Which columns hold the users and the items? No name tells, so it takes {}. --user COLUMN and --item COLUMN "
        "set them.",
        fmt::join(by_place, " and "));
}

// What a person may take for a context, or know of the item and the user: columns without another role.
std::vector<std::string> columns_to_survey(const Proposal& p, const data::TableGuess& guess, const Request& request) {
  const auto& data = p.options.data;
  std::vector<std::string> names;
  constexpr double kLongText = 1000;
  for (const auto& c : guess.columns) {
    const bool is_role = c.name == data.user || c.name == data.item || c.name == data.time || c.name == data.weight ||
                         c.name == data.clicked || c.name == data.event;
    const auto meaning = meaning_of(c);
    const bool of_rows = meaning == Meaning::answer || meaning == Meaning::event || meaning == Meaning::stars ||
                         meaning == Meaning::part;
    if (!is_role && !of_rows && !c.vectors && c.distinct > 1 && c.mean_length < kLongText &&
        std::ranges::count(request.context, c.name) == 0)
      names.push_back(c.name);
  }
  return names;
}

// Gives each of them to the item, to the user or to the row.
void settle_owners(Proposal& p, data::TableGuess& guess, Log& log) {
  const bool of_session =
      columns::has_word_of(p.options.data.user, {"session", "query", "display", "impression", "request", "visit"});
  for (const auto& found : log.survey.belongings) {
    auto& c = *std::ranges::find(guess.columns, found.column, &data::ColumnGuess::name);
    auto owner = owner_of(found, c.coincidence);
    // What a session always has, such as its device, the next session's request has to say.
    if (owner == Owner::user && of_session) owner = Owner::row;
    const auto meaning = meaning_of(c);
    if (owner != Owner::row) {
      const bool of_item = owner == Owner::item;
      c.role = of_item ? "of item" : "of user";
      c.reason = fmt::format("the same in all rows of {}", of_item ? "an item" : "a user");
      const uint64_t changes = of_item ? found.item_changes : found.user_changes;
      if (changes > 0) c.reason += fmt::format(", but for {}, which keep the first", changes);
      (of_item ? log.of_item : log.of_user).push_back(c.name);
    } else if (meaning == Meaning::afterwards || meaning == Meaning::extent) {
      c.role.clear();
      c.reason = "by its name known only after the click";
    } else if (meaning == Meaning::time && !p.options.data.time.empty() && !c.reason.starts_with("a coarser")) {
      c.role.clear();
      c.reason = "a time beside that of the row";
    }
  }
}

void take_context(Proposal& p, data::TableGuess& guess, const Request& request) {
  auto& data = p.options.data;
  const bool told = !request.context.empty() || !data.context.empty();
  auto names = request.context.empty() ? data.context : request.context;
  std::erase(names, "");
  for (auto& c : guess.columns) {
    const bool named = std::ranges::count(names, c.name) > 0;
    if (told && named) {
      c.role = "context";
      c.reason = "as told";
    } else if (told && c.role == "context") {
      c.role.clear();
      c.reason = "not named as context";
    } else if (c.role == "context") {
      names.push_back(c.name);
    }
  }
  data.context = names;
  for (const auto& name : names)
    if (std::ranges::count(p.options.towers.user.features, name, &features::FeatureOptions::column) == 0)
      p.options.towers.user.features.push_back(feature(name, features::FeatureKind::categorical));
  if (!told && !names.empty())
    p.ask("'{}' {} taken as context: {} known at the moment of a request? --context '' leaves {} out{}.",
          fmt::join(names, "', '"), names.size() == 1 ? "is" : "are", names.size() == 1 ? "is it" : "are they",
          names.size() == 1 ? "it" : "them",
          names.size() == 1 ? "" : fmt::format(", --context '{}' keeps that one alone", names[0]));
}

// The expression that holds for the positives: of the kinds that are, and by data.positive.
std::string positives_of(const dataset::DataOptions& data) {
  std::vector<std::string> kinds;
  for (const auto& kind : data.events)
    if (kind.role == data::EventRole::positive)
      kinds.push_back(fmt::format("({})", data::expression_of(kind, data.event)));
  if (kinds.empty()) return data.positive;
  const auto any = fmt::format("({})", fmt::join(kinds, " or "));
  return data.positive.empty() ? any : fmt::format("{} and ({})", any, data.positive);
}

}  // namespace

Log take_log(Proposal& p, const Request& request) {
  auto& data = p.options.data;
  data.interactions = request.interactions;
  take_form(p, request);
  formats::ReaderOptions files;
  files.paths = data.interactions;
  files.form = data.form;
  files.format = files::format_or_automatic(data.format);
  auto guess = data::guess_interactions(files);
  take_roles(p, guess, request);
  look_for_other_clocks(p, guess, request);
  ask_of_roles(p, guess, request);
  take_row_columns(p, guess, request);
  if (data.time.empty() && !request.split_told) take_given_split(p);
  take_null_values(p, guess);
  files.form = data.form;
  files.paths = data.interactions;
  const auto others = columns_to_survey(p, guess, request);
  Log taken;
  taken.survey = survey_log(files, {.columns = {data.user, data.item, data.time, data.weight, data.clicked},
                                    .others = others,
                                    .where = data.where,
                                    .positive = positives_of(data),
                                    .times = data.times,
                                    .trust_clock = data.trust_clock});
  const auto& log = taken.survey;
  settle_owners(p, guess, taken);
  take_context(p, guess, request);
  taken.files = std::move(files);
  if (log.rows == 0 && log.left_out + log.shown > 0)
    fail(ErrorKind::input,
         "{}: no row is a positive: {} are left out by data.where, {} count as shown by data.clicked{}",
         request.interactions[0], log.left_out, log.shown, data.positive.empty() ? "" : " and data.positive");
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
        !is_of(data.weight) && std::ranges::none_of(others, is_of))
      p.say("{}.", text);
  }
  say_missing(p, guess, request.interactions[0], data.form);

  if (!data.events.empty()) {
    std::vector<std::string> kinds;
    for (const auto& kind : data.events) kinds.push_back(fmt::format("{} ({})", kind.name, data::name_of(kind.role)));
    p.say("'{}' says what a row was: {}. {} rows are of positive kinds.", data.event, fmt::join(kinds, ", "), log.rows);
  }
  if (log.left_out > 0) p.say("{} rows are left out by data.where = '{}'.", log.left_out, data.where);
  if (log.shown > 0 && data.events.empty())
    p.say("{} rows are no positives, and count as shown: {}.", log.shown,
          data.positive.empty() ? fmt::format("data.clicked = '{}'", data.clicked)
          : data.clicked.empty()
              ? fmt::format("data.positive = '{}'", data.positive)
              : fmt::format("data.clicked = '{}', data.positive = '{}'", data.clicked, data.positive));

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
       {std::pair(log.rows_without_id, "no user or no item"), std::pair(log.rows_without_time, "no time"),
        std::pair(log.rows_without_answer, "no answer")})
    if (rows > 0)
      p.say("{} rows have {}: training stops at the first of them. data.on_bad_row = \"skip\" leaves them out{}.", rows,
            what, rows > static_cast<uint64_t>(data.bad_rows.limit) ? ", with a data.bad_row_limit above that" : "");
  return taken;
}

}  // namespace pagoda::propose
