#include "tune/importance.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

#include "core/rng.h"

namespace pagoda::tune {

namespace {

constexpr size_t kResamples = 1000;

double mean_of(std::span<const double> values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

double explained_share(std::span<const size_t> groups, std::span<const double> ranks) {
  const double mean = mean_of(ranks);
  std::map<size_t, std::pair<double, double>> sums;  // of a group: its trials, their ranks
  double total = 0;
  for (size_t i = 0; i < ranks.size(); ++i) {
    auto& [trials, sum] = sums[groups[i]];
    trials += 1;
    sum += ranks[i];
    total += (ranks[i] - mean) * (ranks[i] - mean);
  }
  if (total == 0) return 0;
  double between = 0;
  for (const auto& [group, of] : sums) {
    const double away = of.second / of.first - mean;
    between += of.first * away * away;
  }
  return between / total;
}

// Nothing where one of them is constant.
std::optional<double> correlation(std::span<const double> a, std::span<const double> b) {
  const double mean_a = mean_of(a), mean_b = mean_of(b);
  double ab = 0, aa = 0, bb = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    ab += (a[i] - mean_a) * (b[i] - mean_b);
    aa += (a[i] - mean_a) * (a[i] - mean_a);
    bb += (b[i] - mean_b) * (b[i] - mean_b);
  }
  if (aa == 0 || bb == 0) return std::nullopt;
  return ab / std::sqrt(aa * bb);
}

// Each trial to one of at most three groups of neighbouring levels, about equal in trials.
std::vector<size_t> thirds_of(std::span<const size_t> levels) {
  std::map<size_t, size_t> trials;
  for (const size_t level : levels) ++trials[level];
  std::vector<size_t> groups(levels.begin(), levels.end());
  if (trials.size() <= 3) return groups;
  std::map<size_t, size_t> group_of;
  size_t before = 0;
  for (const auto& [level, n] : trials) {
    group_of[level] = std::min<size_t>(2, 3 * (2 * before + n) / (2 * levels.size()));
    before += n;
  }
  for (auto& group : groups) group = group_of[group];
  return groups;
}

}  // namespace

std::vector<double> ranks_of(std::span<const double> values) {
  std::vector<size_t> order(values.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::ranges::sort(order, {}, [&](size_t i) { return values[i]; });
  std::vector<double> ranks(values.size());
  for (size_t begin = 0; begin < order.size();) {
    size_t end = begin;
    while (end < order.size() && values[order[end]] == values[order[begin]]) ++end;
    for (size_t i = begin; i < end; ++i) ranks[order[i]] = static_cast<double>(begin + end - 1) / 2;
    begin = end;
  }
  return ranks;
}

std::optional<Importance> importance_of(const KeyTrials& trials, uint64_t seed) {
  const size_t n = trials.values.size();
  if (n < kFewestTrials || std::ranges::count(trials.levels, trials.levels[0]) == static_cast<std::ptrdiff_t>(n))
    return std::nullopt;
  const auto ranks = ranks_of(trials.values);
  const auto groups = trials.ordered ? thirds_of(trials.levels) : trials.levels;
  Importance out;
  out.explained = explained_share(groups, ranks);
  size_t as_much = 0;
  for (size_t r = 0; r < kResamples; ++r) {
    auto shuffled = ranks;
    Rng(seed, Stream::bootstrap, r, 1).shuffle(std::span(shuffled));
    if (explained_share(groups, shuffled) >= out.explained - 1e-12) ++as_much;
  }
  out.chance = static_cast<double>(as_much + 1) / static_cast<double>(kResamples + 1);
  if (!trials.ordered) return out;

  std::vector<double> levels(trials.levels.begin(), trials.levels.end());
  out.direction = correlation(ranks_of(levels), ranks);
  std::vector<double> resampled;
  for (size_t r = 0; r < kResamples; ++r) {
    Rng rng(seed, Stream::bootstrap, r, 2);
    std::vector<double> of_levels(n), of_values(n);
    for (size_t i = 0; i < n; ++i) {
      const auto drawn = rng.below(n);
      of_levels[i] = levels[drawn];
      of_values[i] = trials.values[drawn];
    }
    if (const auto found = correlation(ranks_of(of_levels), ranks_of(of_values))) resampled.push_back(*found);
  }
  std::ranges::sort(resampled);
  out.direction_interval = resampled.empty()
                               ? math::Interval{std::nan(""), std::nan("")}
                               : math::Interval{math::quantile(resampled, 0.025), math::quantile(resampled, 0.975)};
  return out;
}

}  // namespace pagoda::tune
