#include "propose/table_proposal.h"

#include <algorithm>
#include <cctype>
#include <filesystem>

#include "core/error.h"
#include "core/file.h"
#include "core/lower_case.h"
#include "data/missing_words.h"
#include "data/table_vectors.h"
#include "propose/column_lines.h"
#include "propose/log_roles.h"
#include "text/form_survey.h"
#include "propose/owned_columns.h"

namespace pagoda::propose {

features::FeatureOptions feature(const std::string& column, features::FeatureKind kind) {
  features::FeatureOptions f;
  f.column = column;
  f.kind = kind;
  return f;
}

namespace {

bool tells_of_the_log(std::string_view name) {
  const auto plain = lower_case(name);
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
      // Of long texts the words alone: trigrams and pairs take most of the time, and tell little.
      if (c.role == "text") {
        f.trigrams = false;
        f.word_ngrams = 1;
      }
    } else if (c.role == "categorical") {
      f.kind = features::FeatureKind::categorical;
    } else if (c.role == "vector") {
      f.kind = features::FeatureKind::vector;
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

}  // namespace

void say_missing(Proposal& p, const data::TableGuess& guess, const std::string& path, const columns::TableForm& form) {
  for (const auto& c : guess.columns) {
    std::vector<std::string> words;
    uint64_t cells = 0;
    for (const auto& [word, n] : c.missing)
      if (std::ranges::count(form.null_values, word) == 0) {
        words.push_back(word);
        cells += n;
      }
    if (words.empty() || c.role.empty()) continue;
    const bool as_value = c.type == columns::ColumnType::text;
    p.say("'{}' stands in {:.1f}% of '{}' of {}: {}. {} says that it is missing.", fmt::join(words, "', '"),
          100 * static_cast<double>(cells) / static_cast<double>(guess.sampled_rows), c.name, path,
          as_value ? "it is taken for a value like others" : "it is read as empty, as it is neither number nor time",
          data::null_values_remedy(form.keys, words));
  }
}

namespace {

formats::ReaderOptions table_files(const dataset::DataOptions& data, const std::string& path, bool of_items) {
  auto files = one_file(path, of_items ? data.items_form : data.users_form);
  const auto& format = of_items ? data.items_format : data.users_format;
  files.format = files::format_or_automatic(format);
  return files;
}

}  // namespace

void take_table(Proposal& p, const std::string& path, const columns::Interner& ids, bool of_items) {
  auto& data = p.options.data;
  auto form = text::survey_form({path}, of_items ? data.items_format : data.users_format,
                                of_items ? data.items_form : data.users_form);
  (of_items ? data.items_format : data.users_format) = form.format;
  (of_items ? data.items_form : data.users_form) = std::move(form.form);
  for (const auto& text : form.guesses) p.ask("{}", text);
  for (const auto& text : form.found) p.say("{}", text);
  const auto files = table_files(data, path, of_items);
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

void take_vectors(Proposal& p, const std::string& path, const columns::Interner& ids, bool of_items) {
  auto& data = p.options.data;
  data::Attributes table;
  for (uint32_t i = 0; i < ids.size(); ++i) table.ids.add(ids[i]);
  data::add_vectors(table, path, of_items ? data.item : data.user);
  const auto& vectors = *table.vectors.back();
  p.seen.push_back(fmt::format("{}: vectors of {} numbers, of {} of the log's {} {}", path, vectors.width(),
                               vectors.rows() - vectors.missing(), ids.size(), of_items ? "items" : "users"));
  auto& towers = p.options.towers;
  for (const auto& one : of_items ? towers.item.features : towers.user.features)
    if (one.column == vectors.name())
      fail(ErrorKind::usage, "{}: its vectors would be a column '{}', which the table has; rename the file", path,
           vectors.name());
  (of_items ? data.item_vectors : data.user_vectors).push_back(path);
  (of_items ? towers.item.features : towers.user.features)
      .push_back(feature(vectors.name(), features::FeatureKind::vector));
}

void take_owned_columns(Proposal& p, const formats::ReaderOptions& log, const std::vector<std::string>& columns,
                        const columns::Interner& ids, const std::string& path, bool of_items) {
  if (file_exists(path))
    fail(ErrorKind::usage,
         "{} exists, and would hold columns of the log ({}); choose another name of the config with -o", path,
         fmt::join(columns, ", "));
  const auto& data = p.options.data;
  const auto& features = of_items ? p.options.towers.item.features : p.options.towers.user.features;
  const auto without = p;
  p.written.push_back(path);
  write_owned_columns(log, of_items ? data.item : data.user, columns, path);
  take_table(p, path, ids, of_items);
  const auto* owner = of_items ? "an item" : "a user";
  const auto names = fmt::format("'{}'", fmt::join(columns, "', '"));
  if (features.size() ==
      (of_items ? without.options.towers.item.features : without.options.towers.user.features).size()) {
    std::filesystem::remove(path);
    p = without;
    p.say("{} of the log, the same in all rows of {}, would tell no more than the id.", names, owner);
    return;
  }
  p.say(
      "{} of the log {} the same in all rows of {}: {} holds {}, a row for each. Make it anew when the log has new "
      "ones.",
      names, columns.size() == 1 ? "is" : "are", owner, path, columns.size() == 1 ? "it" : "them");
}

void look_for_users_among_items(Proposal& p, const LogSurvey& log) {
  auto& data = p.options.data;
  if (data.items.empty() || !data.users.empty()) return;
  const auto survey = survey_table(table_files(data, data.items, true), log.users);
  const auto& id = data.items_id.empty() ? data.item : data.items_id;
  for (const auto& c : survey.columns)
    if (c.name == id && c.known * 10 > uint64_t{log.users.size()} * 9)
      p.say(
          "Nearly all user ids stand in {} too. If users ARE such items (pages that link to pages), write "
          "data.users = \"{}\", data.users_id = \"{}\" and [[user.features]] like the [[item.features]].",
          data.items, data.items, id);
}

}  // namespace pagoda::propose
