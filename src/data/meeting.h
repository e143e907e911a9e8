// Whether two files speak of the same ids: how many of one side's the other has, and what would make more of them meet.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "data/attributes.h"

namespace pagoda::data {

// Some ids of an interner: those for which holds(number); all when it is empty. Borrows the interner.
struct IdSet {
  const columns::Interner* ids;
  std::function<bool(uint32_t)> holds{};

  bool has(uint32_t number) const { return number != columns::Interner::kNone && (!holds || holds(number)); }
  bool has(std::string_view id) const { return has(ids->find(id)); }
};

struct Meeting {
  // A way of comparing ids under which `more` of the missing ones would meet.
  struct Change {
    std::string how;  // "without leading zeros"
    size_t more = 0;
    std::string from, to;  // an id that would meet, and the one that it would be
  };
  size_t asked = 0, met = 0, known = 0;      // ids of the first side, of them known, ids of the other
  std::vector<std::string> missing, others;  // a few that the other side lacks, and of those it has instead
  std::optional<Change> change;

  double share() const { return asked == 0 ? 1 : static_cast<double>(met) / static_cast<double>(asked); }
};

// How many of `asked` the other side knows.
Meeting meet(const IdSet& asked, const IdSet& known);

// How a meeting is spoken of.
struct MeetingWords {
  std::string where;   // the other side: "items.csv", "the model"
  std::string asked;   // "items of the log"
  std::string remedy;  // what to do when nothing meets, behind the semicolon; may be empty
};

// One line: the share. A warning below half of `asked`, and one more where another spelling would let more of them meet.
// Error{input} with ids of both sides when nothing meets, unless `may_be_unknown`: then a warning.
void say_meeting(const Meeting& meeting, const MeetingWords& words, bool may_be_unknown = false);

// "; without leading zeros, 2 of them would be ('7' is '007' there)", or "" where no other spelling lets more of them meet.
std::string spelling_hint(const Meeting& meeting);

// The column of a table, other than its id's, that has the most of these ids: its name and how many; "" when none has any.
std::pair<std::string, size_t> column_that_meets(const IdSet& asked, const Attributes& table);

// "'a', 'b', 'c'"; of more than three, the first three and "...".
std::string examples_of(const std::vector<std::string>& ids);

}  // namespace pagoda::data
