#include "propose/column_meaning.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cmath>

#include "columns/conventional_names.h"
#include "columns/event_words.h"
#include "data/answer.h"
#include "predicate/quoted.h"

namespace pagoda::propose {

namespace {

using columns::Names;

// From the plainest on.
const Names kAnswers = {"click",       "clicked",      "is_click",     "is_clicked",     "clk",
                        "click_bool",  "was_clicked",  "label",        "labels",         "target",
                        "y",           "purchase",     "purchased",    "is_purchase",    "is_purchased",
                        "bought",      "is_buy",       "buy",          "ordered",        "is_ordered",
                        "sale",        "conversion",   "converted",    "is_conversion",  "is_converted",
                        "booked",      "is_booking",   "booking_bool", "installed",      "is_installed",
                        "watched",     "is_watched",   "is_positive",  "positive",       "interaction",
                        "response",    "feedback",     "recommended",  "is_recommended", "voted_up",
                        "liked",       "is_liked",     "like",         "is_like",        "favorite",
                        "is_favorite", "is_favourite", "long_view",    "is_follow"};

const Names kEvents = {"event",         "event_type",    "event_name",    "event_action",     "events",
                       "behavior",      "behaviour",     "behavior_type", "behaviour_type",   "action",
                       "action_type",   "user_action",   "interaction",   "interaction_type", "activity",
                       "activity_type", "feedback_type", "verb"};

const Names kStars = {"rating", "ratings", "star", "stars", "score", "overall", "grade"};
// Names of weights that are stars if their values are those of stars, and not those of a count.
const Names kMaybeStars = {"weight", "value", "preference", "mark", "strength"};

// Whole names, and words of names.
const Names kExtents = {
    "dwell",        "dwell_time",      "watch_ratio",      "watch_time",      "watch_duration",  "play_time",
    "playtime",     "play_duration",   "playtime_forever", "playtime_2weeks", "play_ratio",      "played_ratio_pct",
    "played_ratio", "hours",           "hours_played",     "hours_on_record", "minutes_played",  "time_spent",
    "time_on_page", "read_time",       "reading_time",     "listen_time",     "listening_time",  "session_length",
    "scroll_depth", "percent_watched", "progress",         "watched",         "completion_rate", "view_time"};
const Names kExtentWords = {"dwell", "playtime", "watched", "played", "stay"};
const Names kUnits = {"ms", "s", "sec", "secs", "seconds", "min", "minutes", "hours", "pct", "percent"};
const Names kAfterwards = {"summary",
                           "review",
                           "reviews",
                           "text",
                           "body",
                           "comment",
                           "comments",
                           "content",
                           "title",
                           "headline",
                           "vote",
                           "votes",
                           "useful",
                           "funny",
                           "cool",
                           "likes",
                           "found_helpful",
                           "image",
                           "images",
                           "style",
                           "verified",
                           "quantity",
                           "qty",
                           "amount",
                           "revenue",
                           "total",
                           "completed",
                           "finished",
                           "skipped",
                           "is_read",
                           "read_at",
                           "started_at",
                           "early_access",
                           "compensation",
                           "received_for_free",
                           "written_during_early_access",
                           "refund",
                           "returned",
                           "attribution",
                           "cost",
                           "cpo",
                           "transactionid",
                           "orderid",
                           "reviewid",
                           "purchaseid",
                           "found_funny",
                           "reason_end",
                           "reason_start"};
const Names kAfterwardsWords = {"review", "helpful", "summary",    "verified", "transaction",
                                "order",  "invoice", "conversion", "purchase", "checkout"};

std::string plain(std::string_view text) {
  std::string out;
  for (const unsigned char c : text)
    if (std::isalnum(c)) out += static_cast<char>(std::tolower(c));
  return out;
}

bool is_number(const data::ColumnGuess& c) {
  return c.type == columns::ColumnType::integer || c.type == columns::ColumnType::real;
}

bool is_yes_or_no(const data::ColumnGuess& c) {
  if (c.distinct > 2 || c.distinct == 0 || c.type == columns::ColumnType::time) return false;
  if (c.type == columns::ColumnType::boolean) return true;
  return std::ranges::all_of(c.counts, [](const auto& value) { return data::answer_of(value.first).has_value(); });
}

// The values are such words, or the name says so and the values are few.
bool is_event(const data::ColumnGuess& c) {
  if (c.distinct < 2 || c.counts.empty()) return false;
  size_t known = 0;
  for (const auto& [value, cells] : c.counts) known += columns::strength_of_event(value).has_value();
  if (columns::is_one_of(c.name, kEvents))
    return c.type == columns::ColumnType::text || (c.type == columns::ColumnType::integer && c.distinct <= 10);
  return c.type == columns::ColumnType::text && known >= 2 && known * 2 > c.counts.size();
}

bool is_part(const data::ColumnGuess& c) {
  const Names parts = {"train", "training", "test", "testing", "valid", "validation", "val", "dev", "eval"};
  return c.type == columns::ColumnType::text && c.distinct >= 2 && !c.counts.empty() &&
         std::ranges::all_of(
             c.counts, [&](const auto& value) { return std::ranges::find(parts, plain(value.first)) != parts.end(); });
}

bool is_extent(const data::ColumnGuess& c) {
  auto name = columns::normalised_name(c.name);
  for (const auto unit : kUnits)
    if (name.ends_with(fmt::format("_{}", unit))) {
      name.resize(name.size() - unit.size() - 1);
      break;
    }
  return is_number(c) && (columns::is_one_of(c.name, kExtents) || columns::is_one_of(name, kExtents) ||
                          columns::has_word_of(name, kExtentWords));
}

bool is_stars(const data::ColumnGuess& c) {
  if (!is_number(c) || c.counts.empty() || c.distinct < 3) return false;
  const bool by_values = c.distinct >= 5 && (c.most == 5 || c.most == 10) && c.mean >= c.most / 2;
  if (!columns::has_word_of(c.name, kStars) && !(columns::is_one_of(c.name, kMaybeStars) && by_values)) return false;
  const bool halves = std::ranges::all_of(c.counts, [](const auto& value) {
    const auto number = columns::parse_number(value.first);
    return !number || *number * 2 == std::floor(*number * 2);
  });
  return halves && c.least >= 0 && c.most >= 3 && c.most <= 10;
}

}  // namespace

Meaning meaning_of(const data::ColumnGuess& c) {
  if (is_part(c)) return Meaning::part;
  if (columns::is_one_of(c.name, kAnswers) && is_yes_or_no(c)) return Meaning::answer;
  if (columns::has_word_of(c.name, kStars) && is_yes_or_no(c) && is_number(c)) return Meaning::answer;
  if (is_event(c)) return Meaning::event;
  if (is_stars(c)) return Meaning::stars;
  if (is_extent(c)) return Meaning::extent;
  if (columns::is_one_of(c.name, kAfterwards) || columns::has_word_of(c.name, kAfterwardsWords) ||
      columns::has_word_of(c.name, kStars) || (columns::is_one_of(c.name, kAnswers) && c.distinct <= 2))
    return Meaning::afterwards;
  const bool digits = std::ranges::any_of(c.example, [](unsigned char d) { return std::isdigit(d); });
  if (c.type == columns::ColumnType::time || (columns::has_word_of(c.name, columns::kTimeWords) && digits))
    return Meaning::time;
  return Meaning::other;
}

size_t rank_of_answer(std::string_view name) {
  const auto text = columns::normalised_name(name);
  return static_cast<size_t>(std::ranges::find(kAnswers, text) - kAnswers.begin());
}

std::string field_text(std::string_view name) {
  const bool bare =
      !name.empty() && std::ranges::all_of(name, [](unsigned char c) { return std::isalnum(c) || c == '_'; });
  const Names keywords = {"and", "or", "not", "in", "is", "null", "true", "false", "seen"};
  const bool keyword = std::ranges::find(keywords, plain(name)) != keywords.end();
  const bool digit = !name.empty() && std::isdigit(static_cast<unsigned char>(name[0]));
  return bare && !keyword && !digit ? std::string(name) : predicate::quoted(name, '`');
}

std::string value_text(const data::ColumnGuess& column, std::string_view value) {
  if (is_number(column) || column.type == columns::ColumnType::boolean) return std::string(value);
  return predicate::quoted(value, '"');
}

std::string one_of_text(const data::ColumnGuess& column, const std::vector<std::string>& values) {
  if (values.size() == 1) return fmt::format("{} = {}", field_text(column.name), value_text(column, values[0]));
  std::vector<std::string> texts;
  for (const auto& value : values) texts.push_back(value_text(column, value));
  return fmt::format("{} in ({})", field_text(column.name), fmt::join(texts, ", "));
}

}  // namespace pagoda::propose
