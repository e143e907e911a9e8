// Kinds of events of a log: which rows are of each, and what they are to a model.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "predicate/row_predicate.h"

namespace pagoda::data {

enum class EventRole : uint8_t {
  positive,  // an example: the item is what the user wanted
  history,   // known of the user, and no example: it viewed the item
  negative,  // counts as shown and not clicked: it skipped or disliked the item
};
std::string_view name_of(EventRole role);

struct EventOptions {
  std::string name;  // the value in the column of events, if `when` does not say which rows are of it
  EventRole role = EventRole::positive;
  double weight = 1;     // positive: of its examples, times the weight of the row
  bool history = false;  // negative: histories read it, too
  std::string when{};    // an expression; "": the column of events has the name
};

// Whether histories read the events of a kind apart from the positives.
bool has_own_history(const EventOptions& kind);
// The expression that holds for the rows of a kind, as long as no kind before it does. column: that of the events.
std::string expression_of(const EventOptions& kind, const std::string& column);
// Whether rows get weights from their kinds.
bool weighs(const std::vector<EventOptions>& kinds);
// Error{usage}: a name that is missing or there twice, a kind without rows, a weight that is no finite number above 0,
// no positives, a weight or history of a role that has none. `column`: that of the events, "" if there is none.
void validate(const std::vector<EventOptions>& kinds, const std::string& column);

// "view=history", "buy=positive", "buy": a kind as flags and arguments name it; negative ones are read by histories.
// Error{usage}: the role is none.
EventOptions parse_kind(std::string_view text);

// Says of which kind rows are.
class EventKinds {
 public:
  static constexpr uint32_t kNone = UINT32_MAX;
  // Error{usage}: an expression that cannot be read.
  EventKinds(const std::vector<EventOptions>& kinds, const std::string& column);

  bool empty() const { return kinds_.empty(); }
  const std::vector<std::string>& columns() const { return columns_; }  // that it asks for, each once
  // Per row of the batch: the first kind that holds, or kNone; nothing if there are no kinds. places, notices: as in
  // RowPredicate::holds().
  std::vector<uint32_t> of_rows(const columns::RawBatch& batch, std::span<const size_t> places,
                                columns::Notices& notices) const;

 private:
  std::vector<predicate::RowPredicate> kinds_;
  std::vector<std::string> columns_;
};

}  // namespace pagoda::data
