// Compares the ids of two files: how many ids of one the other has, and which change of spelling would match more.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "data/attributes.h"

namespace pagoda::data {

// A subset of the ids of an interner: those for which holds(number); all if `holds` is empty. Borrows the interner.
struct IdSet {
  const columns::Interner* ids;
  std::function<bool(uint32_t)> holds{};

  bool has(uint32_t number) const { return number != columns::Interner::kNone && (!holds || holds(number)); }
  bool has(std::string_view id) const { return has(ids->find(id)); }
};

struct IdOverlap {
  // A way of comparing ids that would match `more` of the missing ones.
  struct Change {
    std::string how;  // "without leading zeros"
    size_t more = 0;
    std::string from, to;  // an id that would match, and the known id that it would match
  };
  size_t asked = 0, met = 0, known = 0;      // ids asked about, how many of them are known, ids of the other side
  std::vector<std::string> missing, others;  // a few ids that the other side lacks, and a few that it has instead
  std::optional<Change> change;

  double share() const { return asked == 0 ? 1 : static_cast<double>(met) / static_cast<double>(asked); }
};

// Counts how many ids of `asked` the other side knows.
IdOverlap count_overlap(const IdSet& asked, const IdSet& known);

// The wording of a message about an overlap.
struct IdOverlapWording {
  std::string where;   // the other side: "items.csv", "the model"
  std::string asked;   // "items of the log"
  std::string remedy;  // what to do if nothing matches, after the semicolon; may be empty
};

// Logs the share in one line; as a warning if it is below half of `asked`. Warns as well if another spelling would
// match more ids. Error{input} with ids of both sides if nothing matches; with `may_be_unknown` a warning instead.
void report_overlap(const IdOverlap& overlap, const IdOverlapWording& words, bool may_be_unknown = false);

// "; without leading zeros, 2 of them would be ('7' is '007' there)", or "" if no other spelling matches more of them.
std::string spelling_hint(const IdOverlap& overlap);

// The column of a table, other than its id column, that has the most of these ids: its name and how many. "" if none
// has any.
std::pair<std::string, size_t> column_with_most_ids(const IdSet& asked, const Attributes& table);

// "'a', 'b', 'c'"; if there are more than three, the first three and "...".
std::string examples_of(const std::vector<std::string>& ids);

}  // namespace pagoda::data
