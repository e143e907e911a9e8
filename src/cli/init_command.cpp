#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <filesystem>
#include <utility>

#include "cli/commands.h"
#include "cli/log_roles.h"
#include "cli/whole_config.h"
#include "core/config.h"
#include "core/file.h"
#include "core/log.h"
#include "core/suggest.h"
#include "data/missing_words.h"
#include "dataset/options.h"
#include "files/byte_sink.h"
#include "train/suited.h"

namespace pagoda::cli {

namespace {

// The config in the making, and what is said above it.
struct Proposal {
  dataset::Options options;
  std::vector<std::string> seen, choices;

  // Once: a file is read twice, for its columns and for its ids.
  template <class... Args>
  void say(fmt::format_string<Args...> format, Args&&... args) {
    auto text = fmt::format(format, std::forward<Args>(args)...);
    if (std::ranges::find(choices, text) == choices.end()) choices.push_back(std::move(text));
  }
};

// TrainingContext for a comment: TOML allows neither control characters nor broken UTF-8 there.
std::string comment_line(std::string_view text) {
  std::string line(columns::is_utf8(text) ? text : "(not UTF-8)");
  for (char& c : line)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = ' ';
  while (line.ends_with(' ')) line.pop_back();
  return line;
}

features::FeatureOptions feature(const std::string& column, features::FeatureKind kind) {
  features::FeatureOptions f;
  f.column = column;
  f.kind = kind;
  return f;
}

// One line a column, with its role and why.
std::vector<std::string> lines_of(const data::TableGuess& guess) {
  size_t width = 0;
  for (const auto& c : guess.columns) width = std::max(width, c.name.size());
  std::vector<std::string> lines;
  for (const auto& c : guess.columns) {
    std::string example = comment_line(c.example);
    // Of a long text, enough to know it again.
    if (example.size() > 30) {
      example.resize(27);
      while (!example.empty() && !columns::is_utf8(example)) example.pop_back();
      example += "...";
    }
    lines.push_back(comment_line(fmt::format("  {:<{}}  {:<11}  {:<7}  {:>8} values, such as '{}'; {}", c.name, width,
                                             c.role.empty() ? "-" : c.role, columns::name_of(c.type), c.distinct,
                                             example, c.reason)));
  }
  return lines;
}

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

bool tells_of_the_log(std::string_view name) {
  std::string plain(name);
  std::transform(plain.begin(), plain.end(), plain.begin(), [](unsigned char c) { return std::tolower(c); });
  for (const auto* word : {"count", "rating", "views", "plays", "popularity", "votes", "sales", "clicks", "rank",
                           "downloads", "likes", "purchases"})
    if (plain.find(word) != plain.npos) return true;
  return false;
}

features::NumericForm form_of(const TableColumnSurvey& c) {
  const double far = 10 * c.deviation;
  if (c.least >= 0 && c.most - c.mean > far) return features::NumericForm::log;
  return c.most - c.mean > far || c.mean - c.least > far ? features::NumericForm::bucket
                                                         : features::NumericForm::standardise;
}

// [[item.features]] or [[user.features]] of a table's columns.
std::vector<features::FeatureOptions> features_of(Proposal& p, const data::TableGuess& guess, const TableSurvey& survey,
                                                  const std::string& file, const std::string& id, bool of_items) {
  std::vector<features::FeatureOptions> features;
  for (size_t i = 0; i < guess.columns.size(); ++i) {
    const auto& c = guess.columns[i];
    auto f = feature(c.name, features::FeatureKind::numeric);
    if (c.name == id || c.role.empty() || c.role == "id") continue;
    if (c.role == "title" || c.role == "text") {
      // A person's name says nothing of taste; that of a user that is itself an item (a page that links) does.
      if (c.role == "title" && !of_items && file != p.options.data.items) {
        p.say("'{}' of {} is left out: names of users say nothing of their taste.", c.name, file);
        continue;
      }
      f.kind = features::FeatureKind::text;
    } else if (c.role == "categorical") {
      f.kind = features::FeatureKind::categorical;
    } else if (c.role == "multi") {
      f.kind = features::FeatureKind::multi;
      if (c.separator) f.separator = std::string(1, c.separator);
    } else if (c.role == "time") {
      if (!of_items || p.options.data.time.empty()) {
        p.say("'{}' of {} is left out: {}.", c.name, file,
              of_items ? "a date becomes the age of an item, and that needs the time of each row of the log"
                       : "a date of a user is no feature");
        continue;
      }
      f.kind = features::FeatureKind::time;
      f.part = features::TimePart::age;
    } else {
      if (tells_of_the_log(c.name)) {
        p.say(
            "'{}' of {} is left out: by its name it counts what happened, the test part's days too. Add it if it was "
            "known "
            "before them.",
            c.name, file);
        continue;
      }
      f.form = form_of(survey.columns[i]);
    }
    features.push_back(std::move(f));
  }
  return features;
}

void say_missing(Proposal& p, const data::TableGuess& guess, const std::string& path, const columns::TableForm& form);

void take_table(Proposal& p, const std::string& path, const columns::Interner& ids, bool of_items) {
  auto& data = p.options.data;
  const auto files = one_file(path, of_items ? data.items_form : data.users_form);
  const auto guess = data::guess_table(files);
  const auto survey = survey_table(files, ids);
  const auto& like = of_items ? data.item : data.user;
  const auto& id = id_column(survey, guess, ids, files, like);
  p.seen.push_back(
      fmt::format("{}: {} rows, joined by '{}', which holds {} of the log's {} {}; by its first {} rows:", path,
                  survey.rows, id.name, id.known, ids.size(), of_items ? "items" : "users", guess.sampled_rows));
  for (auto& line : lines_of(guess)) p.seen.push_back(std::move(line));
  for (const auto& text : guess.notices.texts()) p.say("{}: {}.", path, text);
  say_missing(p, guess, path, files.form);
  if (id.known * 2 < ids.size())
    p.say("Only {} of the log's {} ids stand in column '{}' of {}: is that the right table?", id.known, ids.size(),
          id.name, path);
  if (id.repeated > 0)
    p.say(
        "{} rows of {} repeat an id: training stops at the first of them. data.on_bad_row = \"skip\" leaves them out.",
        id.repeated, path);
  (of_items ? data.items : data.users) = path;
  if (id.name != like) (of_items ? data.items_id : data.users_id) = id.name;
  auto features = features_of(p, guess, survey, path, id.name, of_items);
  auto& towers = p.options.towers;
  auto& into = of_items ? towers.item.features : towers.user.features;
  into.insert(into.end(), features.begin(), features.end());
}

// Users that are things of the item table themselves: pages that link to pages.
void look_for_users_among_items(Proposal& p, const LogSurvey& log) {
  auto& data = p.options.data;
  if (data.items.empty() || !data.users.empty()) return;
  const auto survey = survey_table(one_file(data.items, data.items_form), log.users);
  const auto& id = data.items_id.empty() ? data.item : data.items_id;
  for (const auto& c : survey.columns)
    if (c.name == id && c.known * 10 > uint64_t{log.users.size()} * 9)
      p.say(
          "Nearly all user ids stand in {} too. If users ARE such items (pages that link to pages), write "
          "data.users = \"{}\", data.users_id = \"{}\" and [[user.features]] like the [[item.features]].",
          data.items, data.items, id);
}

bool split_is_told(const InitArgs& args) {
  return std::ranges::any_of(args.set, [](const std::string& a) { return a.starts_with("data.split"); });
}

// The flags over the settings.
void take_form(dataset::DataOptions& data, const InitArgs& args) {
  if (!args.separator.empty()) data.form.separator = args.separator;
  if (!args.columns.empty()) data.form.columns = args.columns;
  if (args.no_header) data.form.header = columns::Header::no;
  if (!args.format.empty()) data.format = args.format;
  if (data.format == "auto") data.format = format_of(args.interactions[0], data.form);
}

// Columns that flags name. Error{usage}: the log has none so named.
LogColumns told_columns(const data::TableGuess& guess, const InitArgs& args) {
  std::vector<std::string> names;
  for (const auto& c : guess.columns) names.push_back(c.name);
  for (const auto& [flag, name] : {std::pair("--user", args.user), std::pair("--item", args.item),
                                   std::pair("--time", args.time), std::pair("--weight", args.weight)})
    if (!name.empty() && std::ranges::count(names, name) == 0)
      fail(ErrorKind::usage, "{} {}: {} has no such column{}", flag, name, args.interactions[0],
           suggestion(name, names));
  return {args.user, args.item, args.time, args.weight};
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

// Such words where they are no ids: a value of their own, or no number.
void say_missing(Proposal& p, const data::TableGuess& guess, const std::string& path, const columns::TableForm& form) {
  for (const auto& c : guess.columns) {
    std::vector<std::string> words;
    uint64_t cells = 0;
    for (const auto& [word, n] : c.missing)
      if (std::ranges::count(form.null_values, word) == 0) words.push_back(word), cells += n;
    if (words.empty() || c.role.empty()) continue;
    const bool as_value = c.type == columns::ColumnType::text;
    p.say("'{}' stands in {:.1f}% of '{}' of {}: {}. {} says that it is missing.", fmt::join(words, "', '"),
          100 * static_cast<double>(cells) / static_cast<double>(guess.sampled_rows), c.name, path,
          as_value ? "it is taken for a value like others" : "it is read as empty, as it is neither number nor time",
          data::null_values_remedy(form.keys, words));
  }
}

void take_log(Proposal& p, const InitArgs& args, LogSurvey& log) {
  auto& data = p.options.data;
  data.interactions = args.interactions;
  take_form(data, args);
  formats::ReaderOptions files;
  files.paths = data.interactions;
  files.form = data.form;
  if (data.format != "auto") files.format = files::format_from_name(data.format);
  const auto guess = data::guess_interactions(files);
  const auto columns = log_columns(
      guess, told_columns(guess, args), args.interactions[0],
      fmt::format("Say it with `pagoda init {} --user COLUMN --item COLUMN`, or in a config as data.user and "
                  "data.item",
                  args.interactions[0]));
  data.user = columns.user;
  data.item = columns.item;
  data.time = columns.time;
  data.weight = columns.weight;
  if (data.time.empty() && !split_is_told(args)) take_given_split(p);
  take_null_values(p, guess);
  files.form = data.form;
  files.paths = data.interactions;
  log = survey_log(files, data.user, data.item, data.time, data.weight, data.times, data.trust_clock);
  if (log.rows == 0)
    fail(ErrorKind::input, "{}: no row has both a user ('{}') and an item ('{}')", args.interactions[0], data.user,
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
  say_missing(p, guess, args.interactions[0], data.form);

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
}

Proposal propose(const InitArgs& args) {
  Proposal p;
  WholeConfig told;
  read_config("", args.set, told);
  p.options = std::move(told.training);
  LogSurvey log;
  take_log(p, args, log);
  auto& o = p.options;
  if (!log.time_us.empty() && !split_is_told(args)) p.choices.push_back(train::suit_split(o.data.split, log.time_us));
  if (!args.items.empty()) take_table(p, args.items, log.items, true);
  if (!args.users.empty()) take_table(p, args.users, log.users, false);
  look_for_users_among_items(p, log);

  auto& towers = o.towers;
  const bool user_table = towers.user.features.size() > o.data.context.size();
  if (!towers.item.features.empty() || user_table) {
    towers.item.hidden = towers.user.hidden = {128};
    p.say("A hidden layer of 128 in both towers joins the features; [] is the thing to compare with.");
  }
  const double several = log.share_of_users_with_several();
  if (several < 0.05 && !towers.user.features.empty()) {
    towers.user.history.last = 0;
    p.say("No history: {:.1f}% of the users have more than one row.", 100 * several);
  } else if (several < 0.05) {
    p.say(
        "Only {:.1f}% of the users have more than one row, and nothing else is known of them: there is little to learn "
        "from.",
        100 * several);
  }
  if (o.data.time.empty()) {
    train::suit_history(o);
    if (o.data.split.kind == data::SplitKind::random)
      p.say(
          "Split at random: the log has no times. If it has, name their column with --time and split by time: what is "
          "asked of a model is the future.");
    p.say("train.history = \"others\": without times, an example's history is the user's other items.");
    if (log.items.size() < 50000)
      p.say(
          "{} items are few enough to train each user against all of them, often better without times. To try: pagoda "
          "train "
          "-c {} --set 'sampling.negatives=[{{source=\"catalogue\"}}]' --set train.rows=user --set train.batch=512 -o "
          "model.pagoda",
          log.items.size(), args.output);
  }
  for (auto& line : train::suit_size(o, {log.rows, log.items.size()})) p.choices.push_back(std::move(line));
  dataset::validate(o);
  return p;
}

}  // namespace

void run_init(const InitArgs& args) {
  files::check_not_compressed(args.output, "a config");
  if (file_exists(args.output))
    fail(ErrorKind::usage, "{} exists, and may have been edited; choose another name with -o", args.output);
  auto p = propose(args);
  const auto next = fmt::format("pagoda train -c {} -o model.pagoda", args.output);
  std::string text =
      "# Written by `pagoda init`. What it saw, what it made of that, and why; all of it may be corrected here.\n#\n";
  const auto comment = [&](std::string_view line) { text += "# " + comment_line(line) + "\n"; };
  for (const auto& line : p.seen) comment(line);
  text += "#\n";
  for (const auto& line : p.choices) comment("- " + line);
  text += "#\n";
  comment("Next: " + next);
  WholeConfig config{.training = std::move(p.options), .serve = {}};
  write_file(args.output, text + "\n" + to_toml([&](OptionVisitor& f) { describe(f, config); }, true));
  for (const auto& line : p.seen) log_info("{}", comment_line(line));
  for (const auto& line : p.choices) log_info("- {}", comment_line(line));
  log_info("{}: written; next: {}", args.output, next);
}

}  // namespace pagoda::cli
