// Reads MIND's behaviors.tsv (Wu et al., "MIND: A Large-scale Dataset for News Recommendation", 2020): impression id,
// user, time, history of clicks, and what was shown, `N1-0 N2-1`, the suffix saying whether it was clicked.
//
// Each shown item is a row. The history, which every line of a user repeats, lies before the file begins: its items are
// clicks once a user, dated a second apart before the first moment of the file, in their order.
#include <algorithm>
#include <optional>
#include <unordered_set>

#include "columns/time_form.h"
#include "files/text_lines.h"
#include "text/text_file.h"
#include "text/text_row_file.h"

namespace pagoda::text {

namespace {

std::string_view take(std::string_view& text, char separator) {
  const auto word = text.substr(0, text.find(separator));
  text.remove_prefix(std::min(word.size() + 1, text.size()));
  return word;
}

// The first moment of a file.
int64_t first_moment(const FileOptions& options) {
  files::TextLines lines(options.path, options.form.encoding);
  columns::ParsedTimes times;
  for (std::string_view line; lines.next(line);) {
    take(line, '\t');
    take(line, '\t');
    if (const auto time = columns::parse_time(columns::trim(take(line, '\t')))) times.push(*time);
  }
  auto form = times.form({});
  if (form.order == columns::DateOrder::automatic) form.order = columns::DateOrder::month_first;  // as MIND writes it
  std::vector<columns::UnusableTime> unusable;
  auto moments = std::move(times).timestamps(form, {}, unusable);
  std::erase(moments, columns::ParsedTimes::kNone);
  return moments.empty() ? 0 : *std::ranges::min_element(moments);
}

class MindRows {
 public:
  explicit MindRows(const FileOptions& options) : options_(options), lines_(options.path, options.form.encoding) {}

  static std::vector<std::string> names() { return {"impression_id", "user_id", "time", "item_id", "clicked"}; }

  bool next(std::vector<std::string_view>& cells) {
    for (;;) {
      if (next_of_history(cells) || next_shown(cells)) return true;
      do {
        if (!lines_.next(line_)) return false;
      } while (columns::trim(line_).empty());
      take_line();
    }
  }
  std::string place() const { return lines_.place(); }
  bool empty() const { return !any_; }

 private:
  void take_line() {
    any_ = true;
    if (line_.ends_with('\r')) line_.remove_suffix(1);
    if (std::ranges::count(line_, '\t') != 4)
      fail(ErrorKind::input, "{}: has not the five values of MIND's behaviors: impression, user, time, history, shown",
           place());
    impression_ = take(line_, '\t');
    user_ = take(line_, '\t');
    time_ = take(line_, '\t');
    history_ = columns::trim(take(line_, '\t'));
    shown_ = columns::trim(line_);
    if (history_.empty() || !users_.emplace(user_).second) {
      history_ = {};
      return;
    }
    if (!begin_us_) begin_us_ = first_moment(options_);
    history_left_ = 1 + std::ranges::count(history_, ' ');
    options_.notices->add(
        "", "clicks come from histories; they are dated in their order, a second apart, before the file begins",
        static_cast<uint64_t>(history_left_), [&] { return place(); });
  }

  bool next_of_history(std::vector<std::string_view>& cells) {
    while (!history_.empty()) {
      const auto item = take(history_, ' ');
      history_time_ = columns::format_time_us(*begin_us_ - 1000000 * history_left_--);
      if (item.empty()) continue;
      cells = {"", user_, history_time_, item, "1"};
      return true;
    }
    return false;
  }

  bool next_shown(std::vector<std::string_view>& cells) {
    while (!shown_.empty()) {
      const auto word = take(shown_, ' ');
      if (word.empty()) continue;
      const bool labelled = word.size() > 2 && (word.ends_with("-0") || word.ends_with("-1"));
      if (!labelled)
        fail(ErrorKind::input, "{}: '{}' does not say whether it was clicked, as in 'N129416-0': is it a test file?",
             place(), word);
      cells = {impression_, user_, time_, word.substr(0, word.size() - 2), word.substr(word.size() - 1)};
      return true;
    }
    return false;
  }

  FileOptions options_;
  files::TextLines lines_;
  std::string_view line_, impression_, user_, time_, history_, shown_;  // of the current line
  std::string history_time_;
  int64_t history_left_ = 0;
  std::unordered_set<std::string> users_;  // whose history was given
  std::optional<int64_t> begin_us_;
  bool any_ = false;
};

}  // namespace

std::unique_ptr<FileReader> open_mind_file(const FileOptions& options) {
  return std::make_unique<TextRowFile<MindRows>>(options);
}

std::string place_in_mind_file(const FileOptions& options, uint64_t record) {
  return place_in_rows<MindRows>(options, record);
}

}  // namespace pagoda::text
