#include "diagnose/drift.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>
#include <unordered_map>

#include "core/error.h"

namespace pagoda::diagnose {

namespace {

double sum_of(std::span<const uint32_t> counts) { return std::accumulate(counts.begin(), counts.end(), 0.0); }

}  // namespace

double total_variation(std::span<const uint32_t> a, std::span<const uint32_t> b) {
  const double in_a = sum_of(a), in_b = sum_of(b);
  double sum = 0;
  for (size_t i = 0; i < a.size(); ++i) sum += std::abs(a[i] / in_a - b[i] / in_b);
  return sum / 2;
}

double binomial_deviation(uint64_t m, double p) {
  const auto n = static_cast<double>(m);
  const double k = std::floor(n * p);
  if (p <= 0 || p >= 1 || m == 0) return 0;
  const double log_choose = std::lgamma(n + 1) - std::lgamma(k + 2) - std::lgamma(n - k);
  return 2 * (k + 1) * std::exp(log_choose + (k + 1) * std::log(p) + (n - k) * std::log1p(-p));
}

double chance_variation(std::span<const uint32_t> a, std::span<const uint32_t> b) {
  const double in_a = sum_of(a), in_b = sum_of(b), p = in_a / (in_a + in_b);
  std::unordered_map<uint64_t, double> deviation_of;  // many items have the same few clicks
  double sum = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    const uint64_t m = uint64_t{a[i]} + b[i];
    const auto [at, fresh] = deviation_of.try_emplace(m, 0.0);
    if (fresh) at->second = binomial_deviation(m, p);
    sum += at->second;
  }
  // x / in_a - (m - x) / in_b = (x - m p) (1 / in_a + 1 / in_b)
  return sum * (1 / in_a + 1 / in_b) / 2;
}

std::optional<double> overlap(std::span<const uint32_t> a, std::span<const uint32_t> b) {
  const double common_by_chance = 1 - chance_variation(a, b);
  if (common_by_chance < 0.05) return std::nullopt;
  return std::min(1.0, (1 - total_variation(a, b)) / common_by_chance);
}

Drift drift(std::span<const uint32_t> item, std::span<const int64_t> time_us, uint32_t items, size_t periods) {
  check(periods >= 2 && item.size() >= periods && time_us.size() == item.size(), "at least two periods have rows");
  std::vector<uint64_t> order(item.size());
  std::iota(order.begin(), order.end(), uint64_t{0});
  std::stable_sort(order.begin(), order.end(), [&](uint64_t a, uint64_t b) { return time_us[a] < time_us[b]; });

  Drift d;
  std::vector<std::vector<uint32_t>> counts(periods, std::vector<uint32_t>(items));
  std::vector<double> middle_us(periods);
  std::vector<bool> seen(items);
  for (size_t p = 0; p < periods; ++p) {
    const size_t first = order.size() * p / periods, last = order.size() * (p + 1) / periods;
    for (size_t at = first; at < last; ++at) ++counts[p][item[order[at]]];
    middle_us[p] = static_cast<double>(time_us[order[(first + last) / 2]]);
    uint64_t unseen = 0;
    for (uint32_t i = 0; i < items; ++i) {
      if (counts[p][i] > 0 && !seen[i]) unseen += counts[p][i];
      if (counts[p][i] > 0) seen[i] = true;
    }
    d.unseen.push_back(p == 0 ? 0.0 : static_cast<double>(unseen) / static_cast<double>(last - first));
  }
  d.period_us = static_cast<int64_t>((middle_us.back() - middle_us.front()) / static_cast<double>(periods - 1));

  double next = 0, lag_by_fall = 0, lag_squares = 0;
  size_t measured = 0;
  for (size_t p = 0; p < periods; ++p) {
    for (size_t q = p + 1; q < periods; ++q) {
      if (q == p + 1) {
        d.next_variation.push_back(total_variation(counts[p], counts[q]));
        d.next_chance.push_back(chance_variation(counts[p], counts[q]));
      }
      const auto common = overlap(counts[p], counts[q]);
      if (!common) continue;
      if (q == p + 1) {
        next += *common;
        ++measured;
      }
      if (p == 0 && q == periods - 1) d.ends_overlap = common;
      const double lag = middle_us[q] - middle_us[p];
      lag_by_fall += lag * -std::log(std::max(*common, 1e-3));
      lag_squares += lag * lag;
    }
  }
  if (measured > 0) d.next_overlap = next / static_cast<double>(measured);
  if (lag_by_fall > 0) d.half_life_us = std::numbers::ln2 * lag_squares / lag_by_fall;
  return d;
}

}  // namespace pagoda::diagnose
