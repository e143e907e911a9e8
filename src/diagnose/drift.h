// How popularity moves in time.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace pagoda::diagnose {

// Half the sum of |share in a - share in b| over the items: 0 when popularity is the same, 1 when nothing is common.
// a, b: clicks on each item, parallel.
double total_variation(std::span<const uint32_t> a, std::span<const uint32_t> b);

// What it is expected to be by chance alone, were each click of both periods drawn from one popularity: clicks of an
// item fall into the first period as a binomial, whose mean absolute deviation has a closed form (De Moivre 1730;
// Diaconis and Zabell 1991).
double chance_variation(std::span<const uint32_t> a, std::span<const uint32_t> b);

// E|X - m p| of a binomial X of m trials: 2 (k + 1) C(m, k + 1) p^(k + 1) (1 - p)^(m - k), k = floor(m p).
double binomial_deviation(uint64_t m, double p);

// What two periods have in common, relative to what chance leaves to two samples of one popularity:
// (1 - total_variation) / (1 - chance_variation), at most 1. Nothing where clicks are so few an item that chance leaves
// less than a twentieth. Clicks are taken for independent: those that come in runs (a user's, an event's) look like
// drift.
std::optional<double> overlap(std::span<const uint32_t> a, std::span<const uint32_t> b);

struct Drift {
  std::vector<double> unseen;  // per period: share of its clicks on items that no period before has; 0 of the first
  std::vector<double> next_variation;  // per period but the last: total variation to the next
  std::vector<double> next_chance;     // and what chance alone makes of it
  std::optional<double> next_overlap;  // mean overlap of a period and the next
  std::optional<double> ends_overlap;  // of the first and the last
  int64_t period_us = 0;               // mean time from the middle row of a period to that of the next
  // The time after which overlap would be halved, were it to fall as exp(-lag): least squares of -log(overlap) on the
  // lag over all pairs of periods. Nothing where there is no overlap to tell from.
  std::optional<double> half_life_us;
};

// Periods are so many runs of equally many rows in order of time (ties: in the order of the log): a wrong clock here
// and there moves none of them. item, time_us [N] parallel, N >= periods >= 2.
Drift drift(std::span<const uint32_t> item, std::span<const int64_t> time_us, uint32_t items, size_t periods);

}  // namespace pagoda::diagnose
