#include "columns/list_text.h"

#include <algorithm>

#include "core/error.h"

namespace pagoda::columns {

namespace {

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

bool is_nothing(std::string_view word) {
  return word == "None" || word == "null" || word == "NULL" || word == "nan" || word == "NaN";
}

// Parses the elements between two brackets.
class Elements {
 public:
  explicit Elements(std::string_view text) : rest_(text) {}

  bool take_all() {
    for (skip_blanks(); !rest_.empty(); skip_blanks()) {
      if (!take_one()) return false;
      const bool blank = !rest_.empty() && is_blank(rest_[0]);
      skip_blanks();
      if (rest_.starts_with(',')) {
        rest_.remove_prefix(1);
        commas = true;
      } else if (!rest_.empty())
        blanks = blanks || blank;
    }
    return true;
  }

  std::vector<std::string> found;
  bool words = false;  // whether an element is neither quoted nor a number
  bool commas = false, blanks = false;

 private:
  void skip_blanks() {
    while (!rest_.empty() && is_blank(rest_[0])) rest_.remove_prefix(1);
  }

  bool take_one() {
    if (rest_[0] == '"' || rest_[0] == '\'') return take_quoted();
    const auto word = trim(rest_.substr(0, rest_.find(',')));
    // numpy prints what it holds with its type: np.int64(5), np.str_('a')
    if (word.starts_with("np.") && word.ends_with(')') && word.find('(') != word.npos) {
      const auto inner = word.substr(word.find('(') + 1, word.size() - word.find('(') - 2);
      Elements one(inner);
      if (!one.take_all() || one.found.size() > 1) return false;
      rest_.remove_prefix(static_cast<size_t>(word.end() - rest_.begin()));
      found.insert(found.end(), one.found.begin(), one.found.end());
      return true;
    }
    const auto first = word.substr(0, static_cast<size_t>(std::ranges::find_if(word, is_blank) - word.begin()));
    const bool number = parse_number(first).has_value() || is_nothing(first) || first == "True" || first == "False";
    const auto taken = number ? first : word;
    if (taken.empty() || taken.find_first_of("[](){}\"'") != taken.npos || taken == "..." || taken == "…") return false;
    words = words || !number;
    rest_.remove_prefix(static_cast<size_t>(taken.end() - rest_.begin()));
    if (taken == "True" || taken == "False")
      found.emplace_back(taken == "True" ? "true" : "false");
    else if (!is_nothing(taken))
      found.emplace_back(taken);
    return true;
  }

  bool take_quoted() {
    const char quote = rest_[0];
    std::string text;
    for (size_t i = 1; i < rest_.size(); ++i) {
      if (rest_[i] == '\\' && i + 1 < rest_.size()) {
        const char c = rest_[++i];
        text += c == 'n' ? '\n' : c == 't' ? '\t' : c;
      } else if (rest_[i] == quote) {
        rest_.remove_prefix(i + 1);
        if (!rest_.empty() && rest_[0] != ',' && !is_blank(rest_[0])) return false;
        if (!text.empty()) found.push_back(std::move(text));
        return true;
      } else {
        text += rest_[i];
      }
    }
    return false;
  }

  std::string_view rest_;
};

}  // namespace

std::optional<std::vector<std::string>> parse_list(std::string_view text) {
  text = trim(text);
  if (text.size() < 2) return std::nullopt;
  const char open = text.front(), close = text.back();
  const bool square = open == '[' && close == ']';
  if (!square && !(open == '(' && close == ')') && !(open == '{' && close == '}')) return std::nullopt;
  Elements elements(text.substr(1, text.size() - 2));
  if (!elements.take_all()) return std::nullopt;
  if (elements.blanks && (elements.words || elements.commas)) return std::nullopt;
  if (!square && elements.words && !(open == '{' && elements.commas)) return std::nullopt;
  return std::move(elements.found);
}

bool is_cut_list(std::string_view text) {
  text = trim(text);
  return text.starts_with('[') && text.ends_with(']') &&
         (text.find(" ... ") != text.npos || text.find("…") != text.npos || text.find("...,") != text.npos ||
          text.find("...\n") != text.npos);
}

std::optional<Column> read_lists(const Column& column, uint64_t& lists) {
  lists = 0;
  if (column.type != ColumnType::text) return std::nullopt;
  Column read;
  read.name = column.name;
  read.type = ColumnType::texts;
  bool all = true;
  for (size_t row = 0; row < column.rows(); ++row) {
    if (column.absent(row)) {
      if (all) read.push_null();
      continue;
    }
    const auto text = trim(column.text_of(row));
    const auto elements =
        text.starts_with('[') || text.starts_with('(') || text.starts_with('{') ? parse_list(text) : std::nullopt;
    lists += elements.has_value();
    all = all && elements;
    if (!all) continue;
    for (const auto& element : *elements) read.push_element(element);
    read.end_list();
  }
  if (!all || lists == 0) return std::nullopt;
  return read;
}

void refuse_cut_list(const Column& column, std::string_view text) {
  fail(ErrorKind::input,
       "column '{}': '{}' is a list that was cut when it was printed; write complete lists, such as [1, 2, 3], or a "
       "list "
       "column of Parquet or JSON",
       column.name, text.substr(0, 60));
}

}  // namespace pagoda::columns
