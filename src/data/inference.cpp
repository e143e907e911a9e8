#include "data/inference.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>
#include <functional>
#include <vector>

#include "columns/interner.h"
#include "columns/list_text.h"
#include "columns/conventional_names.h"
#include "columns/vector_cells.h"
#include "core/error.h"
#include "core/lower_case.h"
#include "data/missing_words.h"

namespace pagoda::data {

namespace {

uint64_t words_in(std::string_view text) {
  return 1 + static_cast<uint64_t>(std::count(text.begin(), text.end(), ' '));
}

// Such as "0.12 -0.5 ..." or "[0.12; -0.5; ...]": a vector, whose numbers as words would never come again.
bool holds_many_numbers(std::string_view text) {
  constexpr size_t kFewest = 16;
  constexpr std::string_view kBetween = " ,;|\t\n[](){}";
  size_t numbers = 0, fractions = 0;
  while (true) {
    text.remove_prefix(std::min(text.find_first_not_of(kBetween), text.size()));
    if (text.empty()) break;
    const auto part = text.substr(0, text.find_first_of(kBetween));
    if (!columns::parse_number(part)) return false;
    ++numbers;
    fractions += part.find('.') != part.npos;
    text.remove_prefix(part.size());
  }
  return numbers >= kFewest && fractions * 2 > numbers;
}

// Counts over the sample, for one column.
struct Profile {
  std::string name;
  columns::ColumnType stored = columns::ColumnType::text;  // the type in the file
  uint64_t rows = 0, absent = 0, numbers = 0, whole = 0, times = 0, words = 0, booleans = 0, above_zero = 0;
  static constexpr size_t kMaxIdBytes = 500;  // values are compared by so many bytes
  uint64_t characters = 0;
  std::map<std::string, uint64_t> missing;  // words that usually mean missing
  uint64_t missing_cells = 0;
  uint64_t listed = 0;        // cells that are lists
  uint64_t commas = 0;        // numbers with a comma as decimal point, or between thousands
  uint64_t number_lists = 0;  // cells of many numbers, most with a fraction, between blanks, commas or the like
  double least = 0, most = 0, sum = 0;  // of the numbers
  static constexpr std::array<double, 4> kPerSecond{1, 1e3, 1e6, 1e9};
  std::array<uint64_t, kPerSecond.size()> epochs{};  // numbers that lie between 1990 and 2035 in that unit
  uint64_t thousands = 0;                            // numbers that end in 000
  uint64_t recent = 0;                               // numbers that, read as a time, lie between 1990 and 2100
  uint64_t dates = 0;                                // numbers that, read as a date such as 20240501, do
  columns::Interner values;
  std::vector<uint64_t> cells_of_value;
  static constexpr std::array<char, 4> kSeparators{'|', ';', ',', '\t'};
  struct Parts {         // of the cells split at one separator
    uint64_t cells = 0;  // cells that have it
    uint64_t parts = 0, characters = 0, words = 0;
    columns::Interner met;
  };
  std::array<Parts, kSeparators.size()> parts;
  uint64_t cut_cells = 0;  // cells that were examined for separators
  std::string example;

  uint64_t present() const { return rows - absent; }
  uint64_t informative() const { return present() - missing_cells; }  // cells whose value shows what the column holds
  double informative_share(uint64_t n) const {
    return informative() ? static_cast<double>(n) / static_cast<double>(informative()) : 0;
  }
  double share(uint64_t n) const { return present() ? static_cast<double>(n) / static_cast<double>(present()) : 0; }
  double distinct_share() const { return share(values.size()); }
  double mean_length() const { return share(characters); }
  double mean_words() const { return share(words); }

  void look(const columns::Column& column, size_t row) {
    ++rows;
    const bool is_text = column.type == columns::ColumnType::text && !column.is_null(row);
    const bool no_value = is_text && usually_means_missing(column.text_of(row));
    if (no_value) ++missing[std::string(columns::trim(column.text_of(row)))];
    if (column.absent(row)) {
      ++absent;
      return;
    }
    missing_cells += no_value;
    const auto text = column.as_text(row, scratch);
    const uint32_t value = values.add(text.substr(0, kMaxIdBytes));
    if (value == cells_of_value.size()) cells_of_value.push_back(0);
    ++cells_of_value[value];
    if (example.empty()) example = text.substr(0, 60);
    while (!example.empty() && !columns::is_utf8(example)) example.pop_back();  // a character may be cut in two
    characters += text.size();
    words += words_in(text);
    booleans += text == "true" || text == "false" || text == "True" || text == "False";
    if (column.type == columns::ColumnType::texts) {
      ++listed;
      return vectors.look(column, row);
    }
    if (is_text && text.starts_with('[') && rows <= kEnough)
      if (const auto list = columns::parse_list(text)) {
        ++listed;
        ++cut_cells;
        number_lists += holds_many_numbers(text);
        columns::Column cell;
        cell.type = columns::ColumnType::texts;
        for (const auto& element : *list) cell.push_element(element);
        cell.end_list();
        return vectors.look(cell, 0);
      }
    const auto number = column.type == columns::ColumnType::time ? std::nullopt : column.as_number(row);
    if (is_text && !number && text.size() < 24 && text.find(',') != text.npos) {
      std::string without(text);
      std::erase(without, ',');
      commas += columns::parse_number(without).has_value();
    }
    if (number) {
      ++numbers;
      whole += *number == std::floor(*number);
      above_zero += *number > 0;
      least = numbers == 1 ? *number : std::min(least, *number);
      most = numbers == 1 ? *number : std::max(most, *number);
      sum += *number;
      thousands += text.ends_with("000");
      constexpr double k1990 = 631152000, k2035 = 2051222400;
      for (size_t u = 0; u < kPerSecond.size(); ++u)
        epochs[u] += *number >= k1990 * kPerSecond[u] && *number < k2035 * kPerSecond[u];
    }
    if (const auto time = columns::parse_time(column, row)) {
      constexpr int64_t k1990 = int64_t{631152000} * 1000000, k2100 = int64_t{4102444800} * 1000000;
      const auto is_recent = [&](columns::TimeForm form) {
        const auto moment = columns::timestamp_us(*time, form);
        return moment && *moment >= k1990 && *moment < k2100;
      };
      times += !number;
      recent +=
          is_recent({.order = columns::DateOrder::month_first}) || is_recent({.order = columns::DateOrder::day_first});
      dates += is_recent({.unit = columns::TimeUnit::date});
    }
    if (!number && column.type == columns::ColumnType::text) look_for_parts(column, row);
  }

  static constexpr uint64_t kEnough = 20000;  // rows that are examined for separators
  void look_for_parts(const columns::Column& column, size_t row) {
    if (rows > kEnough) return;
    ++cut_cells;
    number_lists += holds_many_numbers(column.text_of(row));
    if (column.text_of(row).size() > kMaxIdBytes) return;  // a text, not a list of words
    for (size_t s = 0; s < kSeparators.size(); ++s) {
      uint64_t n = 0;
      column.for_each_element(row, kSeparators[s], [&](std::string_view part) {
        ++n;
        parts[s].characters += part.size();
        parts[s].words += words_in(part);
        parts[s].met.add(part);
      });
      parts[s].parts += n;
      parts[s].cells += n > 1;
    }
  }

  columns::VectorCells vectors;
  std::string scratch;
};

columns::ColumnType type_of(const Profile& p) {
  if (p.stored == columns::ColumnType::texts || p.stored == columns::ColumnType::time ||
      p.stored == columns::ColumnType::boolean)
    return p.stored;
  if (p.informative() == 0) return columns::ColumnType::text;
  if (p.informative_share(p.numbers) > 0.99)
    return p.whole == p.numbers ? columns::ColumnType::integer : columns::ColumnType::real;
  if (p.informative_share(p.times) > 0.99) return columns::ColumnType::time;
  if (p.booleans == p.present()) return columns::ColumnType::boolean;
  return columns::ColumnType::text;
}

// A separator whose parts recur from cell to cell: "Crime|Drama", but not the commas of a sentence.
char separator_of(const Profile& p) {
  char best = '\0';
  double most = 0;
  for (size_t s = 0; s < Profile::kSeparators.size(); ++s) {
    const auto& parts = p.parts[s];
    if (p.cut_cells == 0 || parts.parts == 0) continue;
    const char c = Profile::kSeparators[s];
    const double cells = static_cast<double>(parts.cells) / static_cast<double>(p.cut_cells);
    const double length = static_cast<double>(parts.characters) / static_cast<double>(parts.parts);
    const double fresh = static_cast<double>(parts.met.size()) / static_cast<double>(parts.parts);
    const double words = static_cast<double>(parts.words) / static_cast<double>(parts.parts);
    const bool listed = c == ',' ? cells > 0.2 && length < 25 && words < 3.5 : cells > 0.05 && length < 80;
    if (listed && fresh < 0.6 && cells > most) {
      most = cells;
      best = c;
    }
  }
  return best;
}

bool is_number(const ColumnGuess& g) {
  return g.type == columns::ColumnType::integer || g.type == columns::ColumnType::real;
}

ColumnGuess describe_column(const Profile& p) {
  ColumnGuess guess;
  guess.name = p.name;
  guess.type = type_of(p);
  guess.distinct = p.values.size();
  guess.null_share = p.rows ? static_cast<double>(p.absent) / static_cast<double>(p.rows) : 0;
  guess.mean_length = p.mean_length();
  guess.missing = p.missing;
  guess.listed = guess.type == columns::ColumnType::text && p.listed * 2 > std::min(p.informative(), Profile::kEnough);
  guess.vectors = p.vectors.length() > 0 || (p.cut_cells > 0 && p.number_lists * 10 > p.cut_cells * 9);
  if (guess.type == columns::ColumnType::text && !guess.listed && !guess.vectors) guess.separator = separator_of(p);
  guess.least = p.least;
  guess.most = p.most;
  guess.mean = p.numbers ? p.sum / static_cast<double>(p.numbers) : 0;
  for (uint32_t v = 0; v < p.values.size(); ++v) {
    guess.coincidence += p.share(p.cells_of_value[v]) * p.share(p.cells_of_value[v]);
    if (p.values.size() <= ColumnGuess::kMostCounted) guess.counts[std::string(p.values[v])] = p.cells_of_value[v];
  }
  guess.example = p.example;
  return guess;
}

std::vector<Profile> profile(const formats::ReaderOptions& options, size_t sample_rows, TableGuess& table) {
  uint64_t& rows = table.sampled_rows;
  formats::ReaderOptions all = options;
  all.columns.clear();
  all.batch_rows = std::min<size_t>(all.batch_rows, std::max<size_t>(1, sample_rows));
  const auto reader = formats::open_reader(all);
  std::vector<Profile> profiles(reader->columns().size());
  for (size_t c = 0; c < profiles.size(); ++c) profiles[c].name = reader->columns()[c];
  columns::RawBatch batch;
  for (rows = 0; rows < sample_rows && reader->next(batch);) {
    const size_t n = std::min<size_t>(batch.rows, sample_rows - rows);
    for (size_t c = 0; c < profiles.size(); ++c) {
      profiles[c].stored = batch.columns[c].type;
      for (size_t row = 0; row < n; ++row) profiles[c].look(batch.columns[c], row);
    }
    rows += n;
  }
  table.notices = reader->notices();
  if (rows == 0) fail(ErrorKind::input, "{}: has a header but no rows", reader->files()[0]);
  return profiles;
}

// Whether a column carries no information, in either kind of table.
bool says_nothing(const Profile& p, ColumnGuess& g) {
  if (p.present() == 0)
    g.reason = "it is empty";
  else if (g.distinct == 1 && p.rows > 1)
    g.reason = fmt::format("it is always '{}'", g.example);
  else
    return false;
  return true;
}

// Numbers that count since 1970, whatever the column is called: all between 1990 and 2035 in one unit. Ids may lie
// there, too: they are told by their name, as a counter without gaps, or, as nanoseconds, by digits that no clock has.
bool counts_since_1970(const Profile& p, const ColumnGuess& g) {
  if (!is_number(g) || columns::has_word_of(g.name, {"id", "ids", "code", "key", "isbn", "ean", "upc", "sku"}))
    return false;
  constexpr uint64_t kFewest = 20;
  if (p.numbers < kFewest) return false;
  const bool counter = g.distinct == p.numbers && p.most - p.least < 2 * static_cast<double>(p.numbers);
  if (counter || g.distinct < kFewest / 2) return false;
  for (size_t u = 0; u < Profile::kPerSecond.size(); ++u) {
    const bool clock = u < 3 || p.informative_share(p.thousands) > 0.99;
    if (clock && p.informative_share(p.epochs[u]) > 0.99) return true;
  }
  return false;
}

bool can_be_time(const Profile& p, const ColumnGuess& g) {
  return g.type == columns::ColumnType::time ||
         (is_number(g) && std::max(p.informative_share(p.recent), p.informative_share(p.dates)) > 0.99);
}

class RoleAssignment {
 public:
  RoleAssignment(const std::vector<Profile>& profiles, std::vector<ColumnGuess>& guesses)
      : profiles_(profiles), guesses_(guesses) {}

  using Fits = std::function<bool(const Profile&, const ColumnGuess&)>;

  // Gives the role to the first free column, in the order of `names`, that fits.
  bool by_name(std::string_view role, const columns::Names& names, std::string_view reason, const Fits& fits) {
    for (const auto name : names)
      for (size_t c = 0; c < guesses_.size(); ++c)
        if (free(c) && columns::normalised_name(guesses_[c].name) == name && fits(profiles_[c], guesses_[c])) {
          guesses_[c].by_name = true;
          return give(c, role, reason);
        }
    return false;
  }
  bool by_words(std::string_view role, const Fits& fits) {
    for (size_t c = 0; c < guesses_.size(); ++c)
      if (free(c) && fits(profiles_[c], guesses_[c])) {
        guesses_[c].by_name = true;
        return give(c, role, "its name");
      }
    return false;
  }
  // Gives the role of the column that has it to the first free column that fits and has four times its values.
  void move_to_finer(std::string_view role, std::string_view reason, const Fits& fits) {
    const auto has = std::ranges::find(guesses_, role, &ColumnGuess::role);
    if (has == guesses_.end()) return;
    for (size_t c = 0; c < guesses_.size(); ++c) {
      if (!free(c) || !fits(profiles_[c], guesses_[c]) || guesses_[c].distinct < 4 * has->distinct) continue;
      has->role.clear();
      has->reason = fmt::format("a coarser time than '{}'", guesses_[c].name);
      give(c, role, reason);
      return;
    }
  }
  // Gives it to the one free column that fits; to none where there are several.
  bool the_only(std::string_view role, std::string_view reason, const Fits& fits) {
    size_t found = 0, at = 0;
    for (size_t c = 0; c < guesses_.size(); ++c)
      if (free(c) && fits(profiles_[c], guesses_[c])) {
        ++found;
        at = c;
      }
    return found == 1 && give(at, role, reason);
  }
  bool first(std::string_view role, std::string_view reason, const Fits& fits) {
    for (size_t c = 0; c < guesses_.size(); ++c)
      if (free(c) && fits(profiles_[c], guesses_[c])) return give(c, role, reason);
    return false;
  }

 private:
  bool free(size_t c) const { return guesses_[c].role.empty() && guesses_[c].reason.empty(); }
  bool give(size_t c, std::string_view role, std::string_view reason) {
    guesses_[c].role = role;
    guesses_[c].reason = reason;
    return true;
  }
  const std::vector<Profile>& profiles_;
  std::vector<ColumnGuess>& guesses_;
};

void guess_table_role(const Profile& p, ColumnGuess& g) {
  const auto give = [&](std::string_view role, std::string reason) {
    g.role = role;
    g.reason = std::move(reason);
  };
  const double distinct = static_cast<double>(g.distinct), rows = static_cast<double>(p.present());
  if (const size_t length = p.vectors.length())
    return give("vector", fmt::format("each cell is a vector of {} numbers", length));
  if (g.vectors) return give("", "each cell is a vector, whose numbers are no words");
  if (g.type == columns::ColumnType::texts) return give("multi", "each cell is a list");
  if (g.listed) return give("multi", "its cells are lists, as in [1, 2]");
  if (g.type == columns::ColumnType::boolean) return give("categorical", "it is true or false");
  if (g.type == columns::ColumnType::time) return give("time", "its values are dates");
  if (is_number(g)) {
    if (columns::has_word_of(g.name, columns::kTimeWords) && can_be_time(p, g))
      return give("time", "its name, and numbers that are dates");
    if (columns::has_word_of(g.name, {"id", "code", "category", "type", "class", "zip", "brand"}) &&
        g.type == columns::ColumnType::integer)
      return distinct > rows * 0.9 ? give("", "an id of another kind: nearly all its values differ")
                                   : give("categorical", "numbers that name something, by its name");
    if (g.distinct == 2) return give("categorical", "it has two values");
    return give("numeric", "its values are numbers");
  }
  if (p.informative_share(p.commas + p.numbers) > 0.99)
    return give("", "its numbers have commas; write them with a point and nothing between thousands");
  if (lower_case(g.example).starts_with("http")) return give("", "addresses say little about the thing");
  if (g.separator) return give("multi", fmt::format("its cells are lists separated by '{}'", g.separator));
  if (g.mean_length > 40 || p.mean_words() > 6) return give("text", "its values are long texts");
  if (distinct <= 50 || distinct < rows * 0.2) return give("categorical", fmt::format("{} values recur", g.distinct));
  if (p.mean_words() > 1.5) return give("text", "words, and most values differ");
  give("", "nearly all its values differ");
}

}  // namespace

const ColumnGuess* TableGuess::by_role(std::string_view role) const {
  for (const auto& column : columns)
    if (column.role == role) return &column;
  return nullptr;
}

TableGuess guess_interactions(const formats::ReaderOptions& options, size_t sample_rows) {
  TableGuess table;
  const auto profiles = profile(options, sample_rows, table);
  for (const auto& p : profiles) table.columns.push_back(describe_column(p));
  auto& guesses = table.columns;
  for (const auto& g : guesses)
    if ((g.listed || g.type == columns::ColumnType::texts) &&
        (columns::is_one_of(g.name, columns::kUserNames) || columns::is_one_of(g.name, columns::kItemNames)))
      fail(ErrorKind::input,
           "{}: column '{}' holds lists, such as '{}'; a row of a log is one user and one item: write a row for each "
           "element (in pandas, df.explode('{}'))",
           options.paths.at(0), g.name, g.example, g.name);
  RoleAssignment roles(profiles, guesses);

  // "target" is the item that a link leads to, or the answer of 0 and 1.
  const auto is_answer = [](const Profile& p, const ColumnGuess& g) {
    return columns::is_one_of(g.name, {"target"}) && g.distinct <= 2 && p.numbers == p.present() && p.least >= 0 &&
           p.most <= 1;
  };
  const auto id = [&](const Profile& p, const ColumnGuess& g) {
    return p.informative() > 0 && g.type != columns::ColumnType::real && g.type != columns::ColumnType::texts &&
           !g.listed && !g.vectors && !is_answer(p, g);
  };
  bool user = roles.by_name("user", columns::kUserNames, "its name", id),
       item = roles.by_name("item", columns::kItemNames, "its name", id);
  // Without a conventional name: the first two columns of ids, the user before the item.
  const auto many = [&](const Profile& p, const ColumnGuess& g) {
    return id(p, g) && g.type != columns::ColumnType::time && g.type != columns::ColumnType::boolean &&
           g.distinct > 1 && p.absent == 0 && !columns::is_one_of(g.name, columns::kTimeNames) &&
           !columns::is_one_of(g.name, columns::kWeightNames);
  };
  const auto named_id = [&](const Profile& p, const ColumnGuess& g) {
    return many(p, g) && columns::has_word_of(g.name, {"id"});
  };
  // "reviewerID", "username": the name says who, if not as it usually does.
  const auto named_by = [&](const columns::Names& words, const columns::Names& keys) {
    return [&](const Profile& p, const ColumnGuess& g) {
      return many(p, g) && columns::has_word_of(g.name, words) && columns::has_word_of(g.name, keys);
    };
  };
  const columns::Names keys{"id", "hash", "key", "no", "nr", "number", "code", "sha1", "uuid"};
  const columns::Names users{"user",    "reviewer", "customer", "visitor", "member", "client", "person",
                             "account", "buyer",    "reader",   "viewer",  "player", "profile"};
  const columns::Names items{"item",   "product", "movie",   "film",  "article", "track",   "song",
                             "book",   "video",   "news",    "post",  "game",    "artist",  "app",
                             "recipe", "hotel",   "listing", "place", "venue",   "business"};
  if (!user) user = roles.by_words("user", named_by(users, keys));
  if (!user)
    user = roles.by_name("user", {"username", "user_name", "login", "nickname", "reviewer", "subscriber"}, "its name",
                         many);
  if (!item) item = roles.by_words("item", named_by(items, keys));
  if (!user) user = roles.first("user", "the first column of ids", named_id);
  if (!item) item = roles.first("item", "the next column of ids", named_id);
  const auto distinct_ids = [&](const Profile& p, const ColumnGuess& g) {
    return many(p, g) && g.distinct > 2 && !counts_since_1970(p, g);
  };
  if (!user) user = roles.first("user", "the first column whose values can be ids", distinct_ids);
  if (!item) item = roles.first("item", "the next column whose values can be ids", distinct_ids);
  if (!user) user = roles.first("user", "the first column whose values can be ids", many);
  if (!item) item = roles.first("item", "the next column whose values can be ids", many);

  for (size_t c = 0; c < guesses.size(); ++c)
    if (guesses[c].role.empty()) says_nothing(profiles[c], guesses[c]);
  if (!roles.by_name("time", columns::kTimeNames, "its name, and values that are times", can_be_time))
    roles.first("time", "its values are times", [](const Profile& p, const ColumnGuess& g) {
      return g.type == columns::ColumnType::time ||
             (columns::has_word_of(g.name, columns::kTimeWords) && can_be_time(p, g));
    });
  roles.move_to_finer("time", "the finest of the times", [](const Profile& p, const ColumnGuess& g) {
    return (columns::has_word_of(g.name, columns::kTimeWords) && can_be_time(p, g) &&
            p.informative_share(p.dates) < 0.5) ||
           g.type == columns::ColumnType::time;
  });
  const bool timed = std::ranges::any_of(guesses, [](const ColumnGuess& g) { return g.role == "time"; });
  if (!timed) roles.the_only("time", "the one column of numbers that count since 1970", counts_since_1970);
  roles.by_name("weight", columns::kWeightNames, "its name, and numbers above 0",
                [](const Profile& p, const ColumnGuess& g) {
                  return is_number(g) && p.absent == 0 && p.above_zero == p.numbers;
                });

  constexpr uint64_t kMostValues = 1000;
  for (size_t c = 0; c < guesses.size(); ++c) {
    auto& g = guesses[c];
    if (!g.role.empty() || !g.reason.empty()) continue;
    if (g.vectors) {
      g.reason = "a vector in each cell";
      continue;
    }
    const bool words = (g.type == columns::ColumnType::text && !g.listed) || g.type == columns::ColumnType::boolean;
    if (words && !columns::is_one_of(g.name, columns::kTimeNames) && g.distinct <= kMostValues &&
        g.distinct * 10 < profiles[c].rows) {
      g.role = "context";
      g.reason = fmt::format("{} values recur; is it known at the moment of a request?", g.distinct);
    } else if (columns::is_one_of(g.name, columns::kTimeNames)) {
      g.reason =
          "by its name a time, but not written as one that is read, such as 2024-05-01T10:00:00Z or 1714557600; if it "
          "is "
          "one, --time and data.time_unit say so";
    } else if (is_number(g)) {
      g.reason = columns::is_one_of(g.name, columns::kWeightNames)
                     ? "some values are absent or not above 0, which a weight must not be"
                     : "a number: may not be known at the moment of a request";
    } else {
      g.reason = "neither an id, a time, a weight nor a context";
    }
  }
  return table;
}

TableGuess guess_table(const formats::ReaderOptions& options, size_t sample_rows) {
  TableGuess table;
  const auto profiles = profile(options, sample_rows, table);
  for (const auto& p : profiles) table.columns.push_back(describe_column(p));
  RoleAssignment roles(profiles, table.columns);

  const auto key = [](const Profile& p, const ColumnGuess& g) {
    return p.absent == 0 && g.distinct == p.rows && g.type != columns::ColumnType::real &&
           g.type != columns::ColumnType::texts;
  };
  if (!roles.by_name("id", columns::kItemNames, "its name, and all values differ", key) &&
      !roles.by_name("id", columns::kUserNames, "its name, and all values differ", key) &&
      !roles.by_name("id", {"id", "key", "uuid", "code"}, "its name, and all values differ", key) &&
      !roles.first("id", "its name ends in id, and all values differ", [&](const Profile& p, const ColumnGuess& g) {
        return key(p, g) && columns::has_word_of(g.name, {"id"});
      }))
    roles.first("id", "the first column whose values all differ", key);

  for (size_t c = 0; c < table.columns.size(); ++c)
    if (table.columns[c].role.empty()) says_nothing(profiles[c], table.columns[c]);
  const auto words = [](const Profile&, const ColumnGuess& g) {
    return g.type == columns::ColumnType::text && !g.vectors;
  };
  if (!roles.by_name("title", columns::kTitleNames, "its name", words))
    roles.first("title", "short texts that differ", [&](const Profile& p, const ColumnGuess& g) {
      return words(p, g) && !g.separator && p.distinct_share() > 0.8 && g.mean_length < 80 && p.mean_words() > 1.3;
    });
  for (size_t c = 0; c < table.columns.size(); ++c)
    if (table.columns[c].role.empty() && table.columns[c].reason.empty())
      guess_table_role(profiles[c], table.columns[c]);
  return table;
}

}  // namespace pagoda::data
