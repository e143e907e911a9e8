#include "tune/search.h"

#include <algorithm>
#include <numeric>

#include "tune/sequence.h"

namespace pagoda::tune {

namespace {

constexpr uint64_t kAttempts = 200;   // to find a point that was not tried
constexpr uint64_t kSpreadEvery = 4;  // behind the start, one trial of so many is quasi-random, not around the best
constexpr uint64_t kDraws = 1000;     // of one attempt

}  // namespace

std::vector<int64_t> rungs_of(int64_t epochs, int64_t evaluate_every) {
  std::vector<int64_t> rungs;
  for (int64_t at = 1; at < epochs; at *= static_cast<int64_t>(kReduction)) {
    const int64_t rung = (at + evaluate_every - 1) / evaluate_every * evaluate_every;
    // A rung shortly before the end decides little.
    if (rung * 3 <= epochs * 2 && (rungs.empty() || rung > rungs.back())) rungs.push_back(rung);
  }
  rungs.push_back(epochs);
  return rungs;
}

std::string_view name_of(Origin origin) {
  switch (origin) {
    case Origin::standing: return "as it stands";
    case Origin::spread: return "spread";
    case Origin::near: return "near the best";
  }
  return "";
}

Search::Search(const Space& space, uint64_t seed, size_t rungs)
    : space_(space), seed_(seed), rungs_(rungs), start_(std::max<size_t>(8, space.keys().size() / 2)) {}

void Search::report(const Job& job, double value) { trials_[job.trial].values.push_back(value); }

size_t Search::best() const {
  size_t best = 0;
  for (size_t t = 1; t < trials_.size(); ++t)
    if (!trials_[t].values.empty() && trials_[t].values.back() > trials_[best].values.back()) best = t;
  return best;
}

std::vector<size_t> Search::complete() const {
  std::vector<size_t> found;
  for (size_t t = 0; t < trials_.size(); ++t)
    if (is_complete(t)) found.push_back(t);
  std::ranges::stable_sort(found,
                           [&](size_t a, size_t b) { return trials_[a].values.back() > trials_[b].values.back(); });
  return found;
}

std::optional<Job> Search::promotion() const {
  for (size_t rung = rungs_ - 1; rung-- > 0;) {
    std::vector<size_t> reached;
    for (size_t t = 0; t < trials_.size(); ++t)
      if (trials_[t].values.size() > rung) reached.push_back(t);
    std::ranges::stable_sort(reached,
                             [&](size_t a, size_t b) { return trials_[a].values[rung] > trials_[b].values[rung]; });
    for (size_t i = 0; i < reached.size() / kReduction; ++i)
      if (trials_[reached[i]].values.size() == rung + 1) return Job{reached[i], rung + 1};
  }
  return std::nullopt;
}

std::optional<Job> Search::next(bool may_begin) {
  if (trials_.empty()) trials_.push_back({.point = space_.canonical(space_.standing())});
  if (!is_complete(0)) return Job{0, trials_[0].values.size()};
  if (const auto job = promotion()) return job;
  if (may_begin && begin()) return Job{trials_.size() - 1, 0};
  return finish();
}

std::optional<Job> Search::finish() const {
  const auto leader = best();
  if (trials_.empty() || is_complete(leader)) return std::nullopt;
  return Job{leader, trials_[leader].values.size()};
}

bool Search::begin() {
  const auto number = static_cast<uint64_t>(trials_.size());
  const bool spreads = number < start_ || number % kSpreadEvery == 0;
  for (uint64_t attempt = 0; attempt < kAttempts; ++attempt) {
    const auto point = space_.canonical(spreads ? spread() : near(number, attempt));
    if (std::ranges::any_of(trials_, [&](const auto& t) { return t.point == point; })) continue;
    trials_.push_back({.point = point, .origin = spreads ? Origin::spread : Origin::near});
    return true;
  }
  return false;
}

Point Search::spread() { return space_.at(sequence_point(seed_, ++spread_, space_.keys().size())); }

// One to three keys of the best trial moved: an ordered key by a level or two, another to any level.
Point Search::near(uint64_t number, uint64_t attempt) const {
  const auto& keys = space_.keys();
  uint64_t i = attempt * kDraws;
  const auto below = [&](size_t n) {
    return std::min(n - 1, static_cast<size_t>(draw(seed_, number, i++) * static_cast<double>(n)));
  };
  auto point = trials_[best()].point;
  for (size_t moves = 1 + below(3); moves > 0; --moves) {
    const size_t k = below(keys.size());
    const size_t levels = keys[k].levels.size();
    if (!keys[k].ordered) {
      point[k] = (point[k] + 1 + below(levels - 1)) % levels;
      continue;
    }
    const size_t step = 1 + below(2);
    const bool up = point[k] == 0 || (point[k] + 1 < levels && below(2) == 1);
    point[k] = up ? std::min(levels - 1, point[k] + step) : point[k] - std::min(point[k], step);
  }
  return point;
}

}  // namespace pagoda::tune
