// Which key mattered: how much of the differences between trials its values explain, and how much chance would.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "math/bootstrap.h"

namespace pagoda::tune {

// The trials that are compared, all trained for as many epochs.
struct KeyTrials {
  std::vector<size_t> levels;  // of the key, one a trial
  std::vector<double> values;  // parallel: of the metric
  bool ordered = true;         // the levels rise
};

struct Importance {
  // The share of the variance of the trials' ranks that lies between the levels of the key: eta squared, 0 to 1. An
  // ordered key with more than three levels is cut into thirds of its trials.
  double explained = 0;
  double chance = 1;  // how often a random order of the values explains as much: a permutation test
  // Of an ordered key: Spearman's rank correlation of level and value, and its bootstrap interval over trials. Above 0:
  // higher is better.
  std::optional<double> direction;
  math::Interval direction_interval = {};
};

inline constexpr size_t kFewestTrials = 8;

// Nothing: there are fewer than kFewestTrials, or the key has one level in all of them. The same seed, the same
// figures.
std::optional<Importance> importance_of(const KeyTrials& trials, uint64_t seed);

// Ranks from 0; equal values share the mean of theirs.
std::vector<double> ranks_of(std::span<const double> values);

}  // namespace pagoda::tune
