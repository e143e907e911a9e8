#include "text/delimited_form.h"

#include <algorithm>
#include <cctype>
#include <optional>
#include <utility>

#include "columns/column.h"
#include "columns/conventional_names.h"
#include "columns/event_words.h"
#include "core/error.h"

namespace pagoda::text {

namespace {

constexpr size_t kRows = 50;  // rows of a file that decide its form

// How lines are cut into rows of cells.
struct Cutting {
  std::string separator;
  columns::Quoting quoting;
  std::string comment;  // "": no line is one
};

// Takes one row from the front of the text. False if the text ends before the row does.
bool take_row(std::string_view& text, bool whole, const Cutting& how, TextRow& row) {
  row.assign(1, "");
  size_t i = 0;
  for (bool begins = true; i < text.size();) {
    if (begins && text[i] == '"' && how.quoting != columns::Quoting::none) {
      for (++i;; ++i) {
        if (i == text.size()) return false;
        const char next = i + 1 < text.size() ? text[i + 1] : '\0';
        const bool escapes = how.quoting == columns::Quoting::backslash
                                 ? text[i] == '\\' && (next == '"' || next == '\\')
                                 : text[i] == '"' && next == '"';
        if (escapes)
          row.back() += text[++i];
        else if (text[i] != '"')
          row.back() += text[i];
        else
          break;
      }
      ++i;
      begins = false;
    } else if (text[i] == '\n') {
      text.remove_prefix(i + 1);
      if (row.back().ends_with('\r')) row.back().pop_back();
      return true;
    } else if ((begins = text.substr(i).starts_with(how.separator))) {
      row.emplace_back();
      i += how.separator.size();
    } else {
      row.back() += text[i++];
    }
  }
  if (!whole || text.empty()) return false;
  text = {};
  if (row.back().ends_with('\r')) row.back().pop_back();
  return true;
}

std::string_view first_line(std::string_view text) { return text.substr(0, text.find('\n')); }

std::vector<TextRow> cut(std::string_view text, bool whole, const Cutting& how) {
  std::vector<TextRow> rows;
  TextRow row;
  while (rows.size() < kRows) {
    if (!how.comment.empty() && text.starts_with(how.comment)) {
      text.remove_prefix(std::min(first_line(text).size() + 1, text.size()));
      continue;
    }
    if (!take_row(text, whole, how, row)) break;
    if (row.size() > 1 || !row[0].empty()) rows.push_back(row);
  }
  return rows;
}

bool is_table(const std::vector<TextRow>& rows) {
  return !rows.empty() && rows[0].size() > 1 &&
         std::ranges::all_of(rows, [&](const TextRow& row) { return row.size() == rows[0].size(); });
}

std::string separator_of(const columns::TableForm& form) {
  const auto& separator = form.separator;
  if (separator == "\\t" || separator == "tab") return "\t";
  if (separator == "\\x01" || separator == "\\u0001" || separator == "^A") return "\x01";
  if (separator.empty() || separator.find_first_of("\"\r\n") != separator.npos)
    fail(ErrorKind::usage, "{}separator = '{}' cannot separate cells; give one character or more, such as \";\"",
         form.keys, separator);
  return separator;
}

std::string find_separator(std::string_view text, bool whole, std::string_view usual, Cutting how) {
  for (const std::string_view separator : {usual, std::string_view("::"), std::string_view("\t"), std::string_view(";"),
                                           std::string_view(","), std::string_view("|"), std::string_view("\x01")}) {
    how.separator = separator;
    if (is_table(cut(text, whole, how))) return how.separator;
  }
  return std::string(usual);
}

// The separator of a first line "sep=;", as Excel reads it.
std::optional<std::string> separator_from_first_line(std::string_view text) {
  const auto line = columns::trim(first_line(text));
  if (!line.starts_with("sep=") && !line.starts_with("\"sep=")) return std::nullopt;
  std::string separator(first_line(text).substr(line[0] == '"' ? 5 : 4));
  while (separator.ends_with('\r') || separator.ends_with('"')) separator.pop_back();
  return separator.empty() || separator.size() > 2 ? std::nullopt : std::optional(separator);
}

bool is_key(std::string_view text) {
  const bool hex = std::ranges::all_of(text, [](unsigned char c) { return std::isxdigit(c) || c == '-'; });
  return hex && text.size() >= 16 && std::ranges::any_of(text, [](unsigned char c) { return std::isdigit(c); });
}

bool is_value(std::string_view text) {
  text = columns::trim(text);
  return columns::parse_number(text) || columns::parse_time_us(text) || is_key(text) || text.starts_with("http://") ||
         text.starts_with("https://");
}

}  // namespace

DelimitedForm find_form(std::string_view text, bool whole, std::string_view usual, const columns::TableForm& form) {
  DelimitedForm found;
  const auto pass_line = [&] {
    text.remove_prefix(std::min(first_line(text).size() + 1, text.size()));
    ++found.lines_before;
  };
  const auto from_first_line = separator_from_first_line(text);
  if (from_first_line) pass_line();
  // Skips comments, except a last one that names as many columns as the rows below it have.
  const bool told = form.comment != "auto";
  std::string_view below = text;
  size_t comments = 0;
  while (!told && below.starts_with('#')) {
    below.remove_prefix(std::min(first_line(below).size() + 1, below.size()));
    ++comments;
  }
  if (below.empty()) {
    below = text;
    comments = 0;
  }
  Cutting how{"", form.quoting, told ? form.comment : ""};
  how.separator = form.separator != "auto" ? separator_of(form)
                  : from_first_line        ? *from_first_line
                                           : find_separator(below, whole, usual, how);
  while (comments > 0) {
    const auto rows = cut(text, whole, how);
    found.marked = comments == 1 && is_table(rows);
    if (found.marked) break;
    pass_line();
    --comments;
  }
  found.separator = how.separator;
  found.rows = cut(text, whole, how);
  return found;
}

bool looks_like_data(const std::vector<TextRow>& rows) {
  if (rows.empty()) return false;
  const auto& first = rows[0];
  size_t values = 0, come_again = 0;
  for (size_t c = 0; c < first.size(); ++c) {
    const auto name = columns::trim(first[c]);
    if (name.empty()) continue;
    uint64_t filled = 0, like = 0, same = 0, whole_row = 0;
    for (size_t r = 1; r < rows.size(); ++r) {
      if (c >= rows[r].size() || columns::trim(rows[r][c]).empty()) continue;
      ++filled;
      like += is_value(rows[r][c]);
      same += columns::trim(rows[r][c]) == name;
      whole_row += rows[r] == first;
    }
    if (columns::is_conventional_name(name) && same == whole_row) return false;
    values += is_value(name) && like == filled;
    come_again += same > 0;
  }
  return values > 0 || come_again * 2 > first.size() || (come_again > 0 && first.size() <= 2);
}

// What the cells of a column have in common.
struct ColumnLook {
  bool filled = true;  // no cell is empty
  bool times = true, events = true;
  bool stars = true;  // numbers from 0 to 10, not all the same
};

ColumnLook look_at(const std::vector<TextRow>& rows, size_t column) {
  constexpr int64_t k1990 = int64_t{631152000} * 1000000, k2100 = int64_t{4102444800} * 1000000;
  ColumnLook look;
  bool differ = false;
  for (const auto& row : rows) {
    const auto cell = column < row.size() ? columns::trim(row[column]) : std::string_view();
    const auto moment = columns::parse_time_us(cell);
    const auto number = columns::parse_number(cell);
    look.filled = look.filled && !cell.empty();
    look.times = look.times && moment && *moment >= k1990 && *moment < k2100;
    look.stars = look.stars && number && *number >= 0 && *number <= 10;
    look.events = look.events && columns::strength_of_event(cell).has_value();
    differ = differ || cell != columns::trim(rows[0][column]);
  }
  look.stars = look.stars && differ;
  return look;
}

// Amazon's files of ratings of 2018 begin with the product, B00005QDWD, and not with the user, A3LZBOBV9H6E0T.
bool begins_with_items(const std::vector<TextRow>& rows) {
  const auto is_key = [](std::string_view text, size_t least, size_t most) {
    return text.size() >= least && text.size() <= most &&
           std::ranges::all_of(text, [](unsigned char c) { return std::isdigit(c) || std::isupper(c); });
  };
  return std::ranges::all_of(rows, [&](const TextRow& row) {
    return row.size() > 1 && is_key(row[0], 10, 10) && is_key(row[1], 11, 21) && row[1][0] == 'A';
  });
}

std::vector<std::string> propose_names(const std::vector<TextRow>& rows, const columns::TableForm& form) {
  std::vector<std::string> names;
  if (rows.empty()) return names;
  for (size_t c = 0; c < rows[0].size(); ++c) names.push_back(fmt::format("column_{}", c + 1));
  if (form.keys.find("items") != form.keys.npos || form.keys.find("users") != form.keys.npos) {
    names[0] = form.keys.find("users") != form.keys.npos ? "user_id" : "item_id";
    return names;
  }
  // The first column that may hold an id, and is not taken, is the user's; the next is the item's.
  std::vector<std::string> ids{"item_id", "user_id"};
  if (begins_with_items(rows)) std::swap(ids[0], ids[1]);
  bool time = false, event = false, rating = false;
  for (size_t c = 0; c < names.size(); ++c) {
    const auto look = look_at(rows, c);
    if (look.times && !std::exchange(time, true))
      names[c] = "timestamp";
    else if (look.events && !std::exchange(event, true))
      names[c] = "event";
    else if (!ids.empty() && look.filled) {
      names[c] = ids.back();
      ids.pop_back();
    } else if (ids.empty() && look.stars && !std::exchange(rating, true))
      names[c] = "rating";
  }
  return names;
}

std::string in_words(std::string_view separator) {
  if (separator == "\t") return "a tab";
  if (separator == "\x01") return "\\x01";
  return fmt::format("'{}'", separator);
}

}  // namespace pagoda::text
