#include "data/id_overlap.h"

#include <algorithm>
#include <cctype>
#include <unordered_map>
#include <unordered_set>

#include "columns/whitespace.h"
#include "core/error.h"
#include "core/log.h"

namespace pagoda::data {

namespace {

constexpr size_t kExamples = 3;
// Each change is tried on a sample of so many missing ids and so many known ids; then one is counted in full.
constexpr size_t kSample = 1000, kOthersSample = 200'000;

using Ids = std::vector<std::string_view>;

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return std::isalpha(static_cast<unsigned char>(c)); }

std::string without_quotes(std::string_view id) {
  while (id.size() >= 2 && id.front() == id.back() && (id.front() == '"' || id.front() == '\'')) {
    id.remove_prefix(1);
    id.remove_suffix(1);
  }
  return std::string(id);
}

// "12.0" and "12.00" to "12".
std::string without_fraction(std::string_view id) {
  const size_t point = id.find('.');
  if (point == 0 || point == id.npos || !std::ranges::all_of(id.substr(0, point), is_digit)) return std::string(id);
  const auto fraction = id.substr(point + 1);
  return std::string(std::ranges::all_of(fraction, [](char c) { return c == '0'; }) ? id.substr(0, point) : id);
}

std::string without_zeros(std::string_view id) {
  if (id.empty() || !std::ranges::all_of(id, is_digit)) return std::string(id);
  const size_t first = std::min(id.find_first_not_of('0'), id.size() - 1);
  return std::string(id.substr(first));
}

std::string in_lower_case(std::string_view id) {
  std::string lower(id);
  for (char& c : lower)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return lower;
}

// A UUID in any of its spellings to its 32 digits.
std::string digits_of_uuid(std::string_view id) {
  std::string digits;
  for (const char c : in_lower_case(id)) {
    if (c == '-' || c == '{' || c == '}') continue;
    if (!std::isxdigit(static_cast<unsigned char>(c))) return std::string(id);
    digits += c;
  }
  return digits.size() == 32 ? digits : std::string(id);
}

// The prefix before the part that distinguishes an id: up to the last punctuation, or the letters before the first
// digit. "item_" for "item_12", "u" for "u12", "" for "12".
std::string_view head_of(std::string_view id) {
  if (const size_t mark = id.find_last_of("_:/#|-"); mark != id.npos && mark + 1 < id.size())
    return id.substr(0, mark + 1);
  size_t letters = 0;
  while (letters < id.size() && is_letter(id[letters])) ++letters;
  return letters < id.size() && is_digit(id[letters]) ? id.substr(0, letters) : std::string_view();
}

// The prefix that more than half of the ids have, or "".
std::string common_head(const Ids& ids) {
  std::unordered_map<std::string_view, size_t> counts;
  for (const auto id : ids)
    if (const auto head = head_of(id); !head.empty() && 2 * ++counts[head] > ids.size()) return std::string(head);
  return "";
}

// A change of spelling that is applied to the ids of both sides; only the prefix may differ between them.
struct Spelling {
  std::string how;
  std::function<std::string(std::string_view)> of_asked, of_known;
};

std::vector<Spelling> spellings(const std::string& asked_head, const std::string& known_head) {
  std::vector<Spelling> all;
  const auto add = [&](std::string how, std::string (*change)(std::string_view)) {
    all.push_back({std::move(how), change, change});
  };
  add("without blanks around them", [](std::string_view id) { return std::string(columns::trim_id(id)); });
  add("without leading zeros", without_zeros);
  add("without '.0' at their ends", without_fraction);
  add("without regard to case", in_lower_case);
  add("without quotes around them", without_quotes);
  add("without the hyphens and braces of a UUID", digits_of_uuid);
  const auto behind = [](const std::string& head) {
    return [head](std::string_view id) { return std::string(id.starts_with(head) ? id.substr(head.size()) : id); };
  };
  const auto heads = asked_head.empty() ? fmt::format("'{}'", known_head)
                     : known_head.empty() || known_head == asked_head
                         ? fmt::format("'{}'", asked_head)
                         : fmt::format("'{}' and '{}'", asked_head, known_head);
  if (asked_head != known_head)
    all.push_back({fmt::format("without the prefix {}", heads), behind(asked_head), behind(known_head)});
  const auto plain = [](const std::function<std::string(std::string_view)>& behind_head) {
    return [behind_head](std::string_view id) {
      const auto unquoted = without_quotes(columns::trim_id(id));
      return without_zeros(without_fraction(in_lower_case(behind_head(columns::trim_id(unquoted)))));
    };
  };
  all.push_back({"without blanks, quotes, prefixes, leading zeros, '.0' and regard to case", plain(behind(asked_head)),
                 plain(behind(known_head))});
  return all;
}

// The change of spelling that matches the most missing ids.
std::optional<IdOverlap::Change> best_change(const IdSet& asked, const IdSet& known) {
  Ids missing, others;
  for (uint32_t i = 0; i < asked.ids->size(); ++i)
    if (asked.has(i) && !known.has((*asked.ids)[i])) missing.push_back((*asked.ids)[i]);
  for (uint32_t i = 0; i < known.ids->size(); ++i)
    if (known.has(i)) others.push_back((*known.ids)[i]);
  const auto sample_of = [](const Ids& ids, size_t most) {
    Ids sample;
    const size_t n = std::min(most, ids.size());
    for (size_t i = 0; i < n; ++i) sample.push_back(ids[i * ids.size() / n]);
    return sample;
  };
  const auto some_missing = sample_of(missing, kSample), some_others = sample_of(others, kOthersSample);

  // How many of `ids` match one of the other side's under a spelling, and an example.
  const auto count = [](const Spelling& spelling, const Ids& ids, const Ids& others) {
    std::unordered_map<std::string, size_t> wanted;  // from a spelling to the first id that has it
    for (size_t i = 0; i < ids.size(); ++i) wanted.emplace(spelling.of_asked(ids[i]), i);
    IdOverlap::Change change{.how = spelling.how, .more = 0, .from = {}, .to = {}};
    std::unordered_set<std::string> found;
    for (const auto other : others) {
      auto key = spelling.of_known(other);
      const auto at = wanted.find(key);
      if (at == wanted.end() || !found.insert(std::move(key)).second || !change.from.empty()) continue;
      change.from = ids[at->second];
      change.to = other;
    }
    for (const auto id : ids) change.more += found.contains(spelling.of_asked(id));
    return change;
  };
  const Spelling* best = nullptr;
  size_t most = 0;
  const auto all = spellings(common_head(some_missing), common_head(some_others));
  for (const auto& spelling : all)
    if (const auto change = count(spelling, some_missing, some_others); change.more > most) {
      best = &spelling;
      most = change.more;
    }
  if (!best) return std::nullopt;
  return count(*best, missing, others);
}

}  // namespace

IdOverlap count_overlap(const IdSet& asked, const IdSet& known) {
  IdOverlap overlap;
  for (uint32_t i = 0; i < asked.ids->size(); ++i) {
    if (!asked.has(i)) continue;
    const auto id = (*asked.ids)[i];
    ++overlap.asked;
    if (known.has(id))
      ++overlap.met;
    else if (overlap.missing.size() <= kExamples)
      overlap.missing.emplace_back(id);
  }
  for (uint32_t i = 0; i < known.ids->size(); ++i) {
    if (!known.has(i)) continue;
    ++overlap.known;
    if (overlap.others.size() <= kExamples && !asked.has((*known.ids)[i])) overlap.others.emplace_back((*known.ids)[i]);
  }
  if (overlap.met < overlap.asked) overlap.change = best_change(asked, known);
  return overlap;
}

std::string spelling_hint(const IdOverlap& overlap) {
  if (!overlap.change) return "";
  const auto& c = *overlap.change;
  return fmt::format("; {}, {} of them would be ('{}' is '{}' there)", c.how, c.more, c.from, c.to);
}

void report_overlap(const IdOverlap& overlap, const IdOverlapWording& words, bool may_be_unknown) {
  if (overlap.asked == 0) return;
  if (overlap.met == 0) {
    const auto what = fmt::format("{}: none of the {} {} is there (such as {}, where it has {}){}{}", words.where,
                                  overlap.asked, words.asked, examples_of(overlap.missing), examples_of(overlap.others),
                                  spelling_hint(overlap), words.remedy.empty() ? "" : "; " + words.remedy);
    if (!may_be_unknown) fail(ErrorKind::input, "{}", what);
    return log_once(LogLevel::warning, what);
  }
  const auto share = fmt::format("{}: {} of {} {} are there ({:.1f}%)", words.where, overlap.met, overlap.asked,
                                 words.asked, 100 * overlap.share());
  const bool warn = 2 * overlap.met < overlap.asked || overlap.change;
  const auto missing = warn && !overlap.missing.empty() ? ", not " + examples_of(overlap.missing) : "";
  log_once(warn ? LogLevel::warning : LogLevel::info, share + missing + spelling_hint(overlap));
}

std::pair<std::string, size_t> column_with_most_ids(const IdSet& asked, const Attributes& table) {
  std::pair<std::string, size_t> best;
  std::string scratch;
  for (const auto& column : table.columns) {
    if (column.type == columns::ColumnType::texts) continue;
    std::unordered_set<uint32_t> met;
    for (size_t row = 0; row < column.rows(); ++row)
      if (const auto number = asked.ids->find(column.as_text(row, scratch)); asked.has(number)) met.insert(number);
    if (met.size() > best.second) best = {column.name, met.size()};
  }
  return best;
}

std::string examples_of(const std::vector<std::string>& ids) {
  std::string text;
  for (size_t i = 0; i < std::min(kExamples, ids.size()); ++i) text += fmt::format("{}'{}'", i ? ", " : "", ids[i]);
  return text + (ids.size() > kExamples ? ", ..." : "");
}

}  // namespace pagoda::data
