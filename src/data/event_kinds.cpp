#include "data/event_kinds.h"

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "predicate/quoted.h"

namespace pagoda::data {

namespace {

std::string key_of(const EventOptions& kind) { return fmt::format("[[data.events]] name = \"{}\": when", kind.name); }

}  // namespace

std::string_view name_of(EventRole role) {
  return role == EventRole::positive ? "positive" : role == EventRole::history ? "history" : "negative";
}

bool has_own_history(const EventOptions& kind) {
  return kind.role == EventRole::history || (kind.role == EventRole::negative && kind.history);
}

std::string expression_of(const EventOptions& kind, const std::string& column) {
  return kind.when.empty() ? predicate::quoted(column, '`') + " = " + predicate::quoted(kind.name, '"') : kind.when;
}

bool weighs(const std::vector<EventOptions>& kinds) {
  return std::ranges::any_of(
      kinds, [](const EventOptions& kind) { return kind.role == EventRole::positive && kind.weight != 1; });
}

void validate(const std::vector<EventOptions>& kinds, const std::string& column) {
  if (kinds.empty() && !column.empty())
    fail(ErrorKind::usage,
         "data.event = \"{}\" needs to know what its values are: name each in a [[data.events]], with its role",
         column);
  std::vector<std::string> names;
  for (const auto& kind : kinds) {
    const auto where = fmt::format("[[data.events]] name = \"{}\"", kind.name);
    if (kind.name.empty()) fail(ErrorKind::usage, "[[data.events]]: a kind has no name; give it one");
    if (std::ranges::count(names, kind.name) > 0) fail(ErrorKind::usage, "{}: is there twice", where);
    names.push_back(kind.name);
    if (kind.when.empty() && column.empty())
      fail(ErrorKind::usage,
           "{}: which rows are of it? set data.event to the column of the names, or `when` to an expression", where);
    if (!(kind.weight > 0 && std::isfinite(kind.weight)))
      fail(ErrorKind::usage, "{}: weight = {} is no finite number above 0", where, kind.weight);
    if (kind.weight != 1 && kind.role != EventRole::positive)
      fail(ErrorKind::usage, "{}: weight is of examples, and a {} kind has none; leave weight out", where,
           name_of(kind.role));
    if (kind.history && kind.role != EventRole::negative)
      fail(ErrorKind::usage, "{}: history is for negative kinds; the history of a user has its {} events anyway", where,
           name_of(kind.role));
  }
  if (!kinds.empty() &&
      std::ranges::none_of(kinds, [](const EventOptions& kind) { return kind.role == EventRole::positive; }))
    fail(ErrorKind::usage,
         "[[data.events]]: no kind is positive, so there is nothing to learn; set role = \"positive\"");
}

EventOptions parse_kind(std::string_view text) {
  const auto at = text.rfind('=');
  EventOptions kind{.name = std::string(text.substr(0, at))};
  if (at == text.npos) return kind;
  const auto role = text.substr(at + 1);
  const auto known = {EventRole::positive, EventRole::history, EventRole::negative};
  const auto found = std::ranges::find(known, role, [](EventRole one) { return name_of(one); });
  if (found == known.end())
    fail(ErrorKind::usage, "event '{}': '{}' is no role; write NAME=positive, =history or =negative", text, role);
  kind.role = *found;
  kind.history = kind.role == EventRole::negative;
  return kind;
}

EventKinds::EventKinds(const std::vector<EventOptions>& kinds, const std::string& column) {
  for (const auto& kind : kinds) {
    kinds_.emplace_back(expression_of(kind, column), key_of(kind));
    for (const auto& name : kinds_.back().columns())
      if (std::ranges::count(columns_, name) == 0) columns_.push_back(name);
  }
}

std::vector<uint32_t> EventKinds::of_rows(const columns::RawBatch& batch, std::span<const size_t> places,
                                          columns::Notices& notices) const {
  if (empty()) return {};
  std::vector<uint32_t> of(batch.rows, kNone);
  for (uint32_t kind = 0; kind < kinds_.size(); ++kind) {
    std::vector<size_t> own;
    for (const auto& name : kinds_[kind].columns())
      own.push_back(places[static_cast<size_t>(std::ranges::find(columns_, name) - columns_.begin())]);
    const auto holds = kinds_[kind].holds(batch, own, notices);
    for (size_t row = 0; row < of.size(); ++row)
      if (of[row] == kNone && holds[row]) of[row] = kind;
  }
  return of;
}

}  // namespace pagoda::data
