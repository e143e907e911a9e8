#include "propose/row_questions.h"

#include <algorithm>
#include <cmath>

#include "columns/conventional_names.h"
#include "columns/event_words.h"
#include "core/error.h"
#include "data/answer.h"
#include "propose/column_meaning.h"

namespace pagoda::propose {

namespace {

// "12%", "0.8%"
std::string percent(uint64_t cells, uint64_t of) {
  const double share = of ? 100 * static_cast<double>(cells) / static_cast<double>(of) : 0;
  return share >= 10 || share == 0 ? fmt::format("{:.0f}%", share) : fmt::format("{:.2g}%", share);
}

uint64_t cells_of(const data::ColumnGuess& c) {
  uint64_t cells = 0;
  for (const auto& [value, n] : c.counts) cells += n;
  return cells;
}

// A number as short as it tells about the size: 0.83, 12, 4100.
std::string round_text(double value) {
  const double unit = std::pow(10, std::floor(std::log10(std::max(std::abs(value), 1e-9))) - 1);
  return fmt::format("{}", std::stod(fmt::format("{:.2g}", std::round(value / unit) * unit)));
}

class RowColumns {
 public:
  RowColumns(Proposal& p, data::TableGuess& guess, const Request& request) : p_(p), guess_(guess), request_(request) {
    auto& data = p.options.data;
    if (!request.positive.empty()) data.positive = request.positive;
    if (!request.where.empty()) data.where = request.where;
    told_ = !data.positive.empty() || !request.events.empty();
    if (request.clicked) data.clicked = *request.clicked;
  }

  void take() {
    take_answers();
    take_told_events();
    for (auto& c : guess_.columns) {
      const auto meaning = meaning_of(c);
      if (is_role(c) || c.name == p_.options.data.clicked || c.name == p_.options.data.event) continue;
      if (meaning == Meaning::event)
        take_event(c);
      else if (meaning == Meaning::stars)
        take_stars(c);
      else if (meaning == Meaning::extent)
        take_extent(c);
      else if (meaning == Meaning::part)
        take_part(c);
      else if (c.name == p_.options.data.weight)
        take_counts(c);
    }
    ask_of_extents();
    if (request_.weight) p_.options.data.weight = *request_.weight;
  }

 private:
  bool is_role(const data::ColumnGuess& c) const {
    const auto& data = p_.options.data;
    return c.name == data.user || c.name == data.item || c.name == data.time;
  }
  static void leave_out(data::ColumnGuess& c, std::string reason) {
    c.role.clear();
    c.reason = std::move(reason);
  }
  void take_no_weight(const data::ColumnGuess& c) {
    if (p_.options.data.weight == c.name) p_.options.data.weight.clear();
  }

  // The plainest is the answer; what else was known then only is left out.
  void take_answers() {
    auto& clicked = p_.options.data.clicked;
    data::ColumnGuess* plainest = nullptr;
    for (auto& c : guess_.columns) {
      if (is_role(c) || meaning_of(c) != Meaning::answer || c.distinct < 2) continue;
      leave_out(c, "an answer: known only after the click");
      take_no_weight(c);
      if (!plainest || rank_of_answer(c.name) < rank_of_answer(plainest->name)) plainest = &c;
    }
    if (plainest && clicked.empty() && !request_.clicked && !told_) {
      clicked = plainest->name;
      uint64_t no = 0;
      for (const auto& [value, cells] : plainest->counts) no += data::answer_of(value) == false ? cells : 0;
      p_.ask(
          "'{}' is taken for the answer: {} of the rows hold 0 (shown, and not taken) and are no positives. --clicked "
          "'' "
          "makes all rows positives, --clicked COLUMN takes another answer.",
          clicked, percent(no, cells_of(*plainest)));
    }
    for (auto& c : guess_.columns)
      if (c.name == clicked) {
        c.role = "clicked";
        c.reason = "whether a row was an answer, or only shown";
      }
  }

  void take_told_events() {
    if (request_.events.empty() && request_.event.empty()) return;
    auto& data = p_.options.data;
    auto column = std::ranges::find_if(guess_.columns, [&](const data::ColumnGuess& c) {
      return request_.event.empty() ? !is_role(c) && meaning_of(c) == Meaning::event : c.name == request_.event;
    });
    if (column == guess_.columns.end() && request_.event.empty())
      fail(ErrorKind::usage, "{}: no column says what happened, by its name and values; name it with --event",
           request_.interactions[0]);
    if (column == guess_.columns.end())
      fail(ErrorKind::usage, "{}: no column '{}'", request_.interactions[0], request_.event);
    data.event = column->name;
    data.events.clear();
    for (const auto& text : request_.events) data.events.push_back(data::parse_kind(text));
    if (data.events.empty())
      fail(ErrorKind::usage, "--event {}: say with --events what its values are: --events '{}'", data.event,
           kinds_text(*column, {}));
    data::validate(data.events, data.event);
    take_no_weight(*column);
    column->role = "event";
    column->reason = "what a row was, as told";
  }

  // "buy=positive,view=history,hide=negative": the wanted values, those that speak against an item, and the others.
  static std::string kinds_text(const data::ColumnGuess& c, const std::vector<std::string>& wanted) {
    std::vector<std::string> kinds;
    for (const auto& value : wanted) kinds.push_back(value + "=positive");
    for (const auto& [value, cells] : c.counts) {
      if (std::ranges::count(wanted, value) > 0) continue;
      const auto strength = columns::strength_of_event(value);
      kinds.push_back(value + (strength == columns::EventStrength::against  ? "=negative"
                               : strength == columns::EventStrength::strong ? "=positive"
                                                                            : "=history"));
    }
    return fmt::format("{}", fmt::join(kinds, ","));
  }

  void take_event(data::ColumnGuess& c) {
    leave_out(c, "it says what happened, which is not known before");
    if (told_) return;
    std::vector<std::pair<uint64_t, std::string>> by_count;
    std::vector<std::string> strong, middle, against, shares;
    for (const auto& [value, cells] : c.counts) {
      by_count.emplace_back(cells, value);
      const auto strength = columns::strength_of_event(value);
      if (strength == columns::EventStrength::strong) strong.push_back(value);
      if (strength == columns::EventStrength::middle) middle.push_back(value);
      if (strength == columns::EventStrength::against) against.push_back(value);
    }
    std::ranges::sort(by_count, std::greater());
    const uint64_t all = cells_of(c);
    for (const auto& [cells, value] : by_count) {
      if (shares.size() == 8) {
        shares.push_back("...");
        break;
      }
      shares.push_back(fmt::format("{} {}", value, percent(cells, all)));
    }
    auto wanted = strong;
    wanted.insert(wanted.end(), middle.begin(), middle.end());
    // An answer that is no other than what is taken now would be none: the strongest, or the rarest.
    if (wanted.size() + against.size() == c.counts.size()) wanted = strong;
    if (wanted.empty() || wanted.size() + against.size() == c.counts.size()) {
      const auto rarest = std::ranges::find_if(by_count.rbegin(), by_count.rend(), [&](const auto& one) {
        return std::ranges::count(against, one.second) == 0;
      });
      wanted = {rarest == by_count.rend() ? by_count.back().second : rarest->second};
    }
    uint64_t kept = 0;
    for (const auto& value : wanted) kept += c.counts.at(value);
    std::string now = "All rows count alike now";
    if (!against.empty() && against.size() < c.counts.size()) {
      p_.options.data.positive = against.size() == 1
                                     ? fmt::format("{} != {}", field_text(c.name), value_text(c, against[0]))
                                     : fmt::format("not {}", one_of_text(c, against));
      now = fmt::format("All rows but those of {} count alike now", fmt::join(against, ", "));
    }
    p_.ask(
        "'{}' says what happened ({}): which events are positives? {}. --positive '{}' keeps {} of them; --events '{}' "
        "reads the others, too, as what is known of a user.",
        c.name, fmt::join(shares, ", "), now, one_of_text(c, wanted), percent(kept, all), kinds_text(c, wanted));
  }

  void take_part(data::ColumnGuess& c) {
    leave_out(c, "it names the part of a split that the row is of");
    if (!p_.options.data.where.empty()) return;
    auto one = std::ranges::find_if(c.counts, [](const auto& value) { return value.first.starts_with("train"); });
    if (one == c.counts.end()) one = c.counts.begin();
    p_.ask(
        "'{}' names the part of a split, and all rows are read now. --where '{} = {}' reads one part; data.split.kind "
        "= "
        "\"given\" takes the others as files of their own.",
        c.name, field_text(c.name), value_text(c, one->first));
  }

  void take_stars(data::ColumnGuess& c) {
    auto& weight = p_.options.data.weight;
    if (weight != c.name) leave_out(c, "stars, which are not known before");
    if (told_) {
      if (weight == c.name && !request_.weight) {
        weight.clear();
        leave_out(c, "stars, which are not known before");
      }
      return;
    }
    const double top = c.most <= 5 ? 5 : 10;
    const double from = 0.8 * top;
    uint64_t kept = 0, none = 0;
    for (const auto& [value, cells] : c.counts) {
      const auto number = columns::parse_number(value);
      kept += number && *number >= from ? cells : 0;
      none += number && *number == 0 ? cells : 0;
    }
    const uint64_t all = cells_of(c);
    const auto zero = none == 0
                          ? std::string()
                          : fmt::format(" 0, in {} of the rows, may mean that no star was given.", percent(none, all));
    p_.ask(
        "'{}' holds stars from {} to {}: from which star on is a row a positive? All rows count now.{} --positive "
        "'{} >= {}' keeps {} of them.",
        c.name, c.least, c.most, zero, field_text(c.name), from, percent(kept, all));
  }

  void take_extent(data::ColumnGuess& c) {
    if (request_.weight == c.name) return;
    take_no_weight(c);
    leave_out(c, "how long or how far, known only after the click");
    if (c.distinct > 1) extents_.push_back(&c);
  }

  void ask_of_extents() {
    if (!p_.options.data.positive.empty() || extents_.empty()) return;
    // A share of the whole says most.
    auto best =
        std::ranges::find_if(extents_, [](const auto* c) { return columns::has_word_of(c->name, {"ratio", "pct"}); });
    if (best == extents_.end()) best = extents_.begin();
    const auto& c = **best;
    std::vector<std::string> names;
    for (const auto* extent : extents_) names.push_back(extent->name);
    p_.ask(
        "'{}' {} known only after the click, and left out: from which value on is a row a positive? All rows count "
        "now. "
        "'{}' goes from {} to {}: --positive '{} >= {}' keeps the rows above its mean, --weight '{}' takes it as "
        "weight.",
        fmt::join(names, "', '"), names.size() == 1 ? "is" : "are", c.name, round_text(c.least), round_text(c.most),
        field_text(c.name), round_text(c.mean), c.name);
  }

  // A weight that is found, and not told.
  void take_counts(data::ColumnGuess& c) {
    constexpr double kFar = 50;
    if (request_.weight || c.most <= kFar * c.mean) return;
    take_no_weight(c);
    leave_out(c, "a weight whose largest values outweigh all others");
    p_.ask(
        "'{}' goes up to {}, and is {} on average: as weights, a few rows would outweigh all others, so all rows weigh "
        "the same. --weight '{}' uses it all the same.",
        c.name, round_text(c.most), round_text(c.mean), c.name);
  }

  Proposal& p_;
  data::TableGuess& guess_;
  const Request& request_;
  bool told_ = false;  // which rows are positives
  std::vector<const data::ColumnGuess*> extents_;
};

}  // namespace

void take_row_columns(Proposal& p, data::TableGuess& guess, const Request& request) {
  RowColumns(p, guess, request).take();
}

}  // namespace pagoda::propose
