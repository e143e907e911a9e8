#include "data/list_order.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <vector>

#include "columns/decimal.h"

namespace pagoda::data {

namespace {

constexpr size_t kTenths = 10;
using Shares = std::array<double, kTenths>;

// The bounds of tenths of the training rows by a value.
std::vector<double> bounds_of(std::vector<double> values) {
  std::ranges::sort(values);
  std::vector<double> bounds;
  for (size_t tenth = 1; tenth < kTenths; ++tenth) bounds.push_back(values[values.size() * tenth / kTenths]);
  return bounds;
}

Shares shares_of(std::span<const size_t> rows, const std::vector<double>& bounds,
                 const std::function<double(size_t)>& value) {
  Shares shares{};
  for (const size_t row : rows)
    ++shares[static_cast<size_t>(std::ranges::upper_bound(bounds, value(row)) - bounds.begin())];
  for (double& share : shares) share /= static_cast<double>(std::max<size_t>(1, rows.size()));
  return shares;
}

double distance(const Shares& a, const Shares& b) {
  double sum = 0;
  for (size_t t = 0; t < kTenths; ++t) sum += std::abs(a[t] - b[t]);
  return sum / 2;
}

}  // namespace

ListOrder compare_list_ends(const Interactions& log, std::span<const size_t> train, std::span<const size_t> test,
                            std::span<const size_t> ends, std::span<const size_t> drawn) {
  constexpr double kClear = 0.05;  // of the distances
  ListOrder order;
  if (train.empty() || test.empty() || ends.empty()) return order;
  double more = 0;  // how much farther the ends are, over all values
  const auto compare = [&](const char* what, const std::function<double(size_t)>& value) {
    std::vector<double> values;
    for (const size_t row : train) values.push_back(value(row));
    const auto bounds = bounds_of(std::move(values));
    const auto wanted = shares_of(test, bounds, value);
    const double end = distance(shares_of(ends, bounds, value), wanted),
                 random = distance(shares_of(drawn, bounds, value), wanted);
    more += end - random;
    if (!order.what.empty() && end - random <= order.end_distance - order.random_distance) return;
    order.what = what;
    order.end_distance = end;
    order.random_distance = random;
  };
  std::vector<double> count(log.items.size());
  for (const size_t row : train) ++count[log.item[row]];
  compare("popularity of the item", [&](size_t row) { return count[log.item[row]]; });
  compare("order of first sight", [&](size_t row) { return static_cast<double>(log.item[row]); });
  std::vector<double> number;  // of each item, where all ids are numbers
  for (uint32_t item = 0; item < log.items.size(); ++item) {
    const auto id = columns::canonical_int64(log.items[item]);
    if (!id) break;
    number.push_back(static_cast<double>(*id));
  }
  if (number.size() == log.items.size()) compare("item id", [&](size_t row) { return number[log.item[row]]; });
  if (!log.weight.empty()) compare("weight", [&](size_t row) { return static_cast<double>(log.weight[row]); });
  order.random = more > kClear;
  return order;
}

}  // namespace pagoda::data
