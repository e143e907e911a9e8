// Measures how popularity drifts over time.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace pagoda::diagnose {

// Half the sum of |share in a - share in b| over the items: 0 if popularity is the same, 1 if the periods have no item
// in common. a, b: clicks on each item, parallel.
double total_variation(std::span<const uint32_t> a, std::span<const uint32_t> b);

// Its expectation by chance alone, if each click of both periods were drawn from one popularity: the number of an
// item's clicks in the first period is then binomial, and its mean absolute deviation has a closed form (De Moivre
// 1730; Diaconis and Zabell 1991).
double chance_variation(std::span<const uint32_t> a, std::span<const uint32_t> b);

// E|X - m p| of a binomial X of m trials: 2 (k + 1) C(m, k + 1) p^(k + 1) (1 - p)^(m - k), k = floor(m p).
double binomial_deviation(uint64_t m, double p);

// What two periods have in common, relative to two samples of one popularity: (1 - total_variation) / (1 -
// chance_variation), at most 1. Nothing if items have so few clicks that the denominator is below a twentieth. Clicks
// are assumed independent: those that come in runs (of a user, of an event) look like drift.
std::optional<double> overlap(std::span<const uint32_t> a, std::span<const uint32_t> b);

struct Drift {
  std::vector<double> unseen;  // per period: share of its clicks on items that no earlier period has; 0 for the first
  std::vector<double> next_variation;  // per period but the last: total variation to the next
  std::vector<double> next_chance;     // the same by chance alone
  std::optional<double> next_overlap;  // mean overlap of a period and the next
  std::optional<double> ends_overlap;  // of the first and the last
  int64_t period_us = 0;               // mean time from the middle row of a period to that of the next
  // The time after which overlap is halved if it falls as exp(-lag): least squares of -log(overlap) on the lag over all
  // pairs of periods. Nothing if no pair has an overlap.
  std::optional<double> half_life_us;
};

// Measures drift between periods, which are runs of equally many rows in order of time (ties: in the order of the log),
// so that a few wrong times do not move them. item and time_us [N] are parallel; N >= periods >= 2.
Drift drift(std::span<const uint32_t> item, std::span<const int64_t> time_us, uint32_t items, size_t periods);

}  // namespace pagoda::diagnose
