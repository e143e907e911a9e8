#include "core/suggest.h"

#include <fmt/core.h>

#include <algorithm>
#include <vector>

namespace pagoda {

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
  std::string best;
  size_t least = std::max<size_t>(2, name.size() / 3) + 1;
  for (const auto& candidate : known) {
    size_t distance = edit_distance(name, candidate);
    const bool part = name.size() >= 3 && (candidate.find(name) != candidate.npos || name.find(candidate) != name.npos);
    if (part && !candidate.empty()) distance = std::min<size_t>(distance, 2);
    if (distance < least) least = distance, best = candidate;
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
