#include "core/suggest.h"

#include <fmt/core.h>

#include <algorithm>
#include <vector>

namespace pagoda {

namespace {

// The time grows with the length of the name, which an untrusted client may send.
constexpr size_t kLongest = 100;

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return result;
}

}  // namespace

size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<size_t> before(b.size() + 1), last(b.size() + 1), now(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) last[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    now[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      now[j] = std::min({last[j] + 1, now[j - 1] + 1, last[j - 1] + (a[i - 1] != b[j - 1])});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) now[j] = std::min(now[j], before[j - 2] + 1);
    }
    std::swap(before, last);
    std::swap(last, now);
  }
  return last[b.size()];
}

std::string nearest(std::string_view name, std::span<const std::string> known) {
  if (name.size() > kLongest) return {};
  const std::string wanted = lower(name);
  // A third of the letters may be wrong, two in a word of up to eight; of a word of three or less only one, as
  // otherwise any short word is near any other.
  size_t least = (wanted.size() <= 3 ? 1 : std::max<size_t>(2, wanted.size() / 3)) + 1;
  std::string best;
  for (const auto& candidate : known) {
    const std::string word = lower(candidate);
    size_t distance = edit_distance(wanted, word);
    const bool part = std::min(wanted.size(), word.size()) >= 3 &&
                      (word.find(wanted) != word.npos || wanted.find(word) != wanted.npos);
    if (part) distance = std::min<size_t>(distance, 2);
    if (distance < least && distance < word.size()) {
      least = distance;
      best = candidate;
    }
  }
  return best;
}

std::string suggestion(std::string_view name, std::span<const std::string> known) {
  if (auto best = nearest(name, known); !best.empty()) return fmt::format("; did you mean '{}'?", best);
  if (known.empty()) return "";
  std::string list;
  for (size_t i = 0; i < known.size() && i < 12; ++i) list += (i ? ", " : "") + known[i];
  return "; known: " + list + (known.size() > 12 ? ", ..." : "");
}

}  // namespace pagoda
