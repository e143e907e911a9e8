#include "diagnose/diagnosis.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/error.h"
#include "diagnose/hits.h"

namespace pagoda::diagnose {

namespace {

std::vector<uint64_t> count(std::span<const uint32_t> rows, uint32_t values) {
  std::vector<uint64_t> counts(values);
  for (const uint32_t value : rows) ++counts[value];
  return counts;
}

uint64_t median_of_positive(std::vector<uint64_t> counts) {
  std::erase(counts, 0u);
  const auto middle = counts.begin() + static_cast<ptrdiff_t>((counts.size() - 1) / 2);
  std::nth_element(counts.begin(), middle, counts.end());
  return *middle;
}

std::array<Stratum, 5> strata_of(const Popularity& popularity, const BatchShape& shape, uint64_t uniform) {
  constexpr std::array<const char*, 5> kNames = {"top 1%", "1-5%", "5-20%", "20-50%", "bottom 50%"};
  constexpr std::array<double, 5> kEnds = {0.01, 0.05, 0.2, 0.5, 1};
  std::array<Stratum, 5> strata;
  uint64_t first = 0;
  for (size_t s = 0; s < strata.size(); ++s) {
    const uint64_t last = popularity.head(kEnds[s]);
    auto& stratum = strata[s];
    stratum.name = kNames[s];
    stratum.items = last - first;
    stratum.clicks = popularity.clicks_of_hottest(last) - popularity.clicks_of_hottest(first);
    stratum.in_batch_columns = popularity.mean(first, last, [&](uint64_t n) {
      return static_cast<double>(shape.batch) * static_cast<double>(n) / static_cast<double>(shape.rows);
    });
    stratum.in_batch_chance = popularity.mean(first, last, [&](uint64_t n) { return chance_beside_row(n, shape); });
    stratum.with_uniform_chance = popularity.mean(
        first, last, [&](uint64_t n) { return chance_beside_row(n, shape, uniform, popularity.items()); });
    first = last;
  }
  return strata;
}

void measure_hits(const ClickLog& log, std::span<const uint64_t> user_rows, std::span<const uint64_t> item_rows,
                  Diagnosis& d) {
  const auto pairs = user_items(log.user, log.item);
  d.liked_in_batch = liked_share_in_batch(pairs, user_rows, item_rows);
  d.liked_uniform = liked_share_uniform(pairs, user_rows, d.catalogue_items);
  if (d.batch < 2) return;
  d.accidental_hits = accidental_hit_share(pairs, user_rows, item_rows, d.batch);
  if (log.time_us.empty()) return;
  std::vector<uint64_t> order(log.user.size());
  std::iota(order.begin(), order.end(), uint64_t{0});
  std::stable_sort(order.begin(), order.end(), [&](uint64_t a, uint64_t b) { return log.time_us[a] < log.time_us[b]; });
  std::vector<uint32_t> user, item;
  user.reserve(order.size());
  item.reserve(order.size());
  for (const uint64_t row : order) {
    user.push_back(log.user[row]);
    item.push_back(log.item[row]);
  }
  d.accidental_hits_in_time_order = accidental_hit_share_in_order(user, item, d.batch);
}

}  // namespace

uint64_t uniform_count_for(uint64_t catalogue_items) {
  uint64_t count = 256;
  while (count < 8192 && count * 25 < catalogue_items) count *= 2;
  return std::clamp<uint64_t>(count, 1, std::max<uint64_t>(1, catalogue_items / 2));
}

double Diagnosis::chance_by_uniform() const {
  return -std::expm1(static_cast<double>(uniform_count) * std::log1p(-1 / static_cast<double>(catalogue_items)));
}

Diagnosis diagnose(const ClickLog& log, const DiagnosisOptions& options) {
  check(options.batch >= 1 && options.dim >= 1, "batch and dim are at least 1");
  if (log.user.size() < 2) fail(ErrorKind::input, "the log has one row: there is nothing to compare it with");
  if (log.catalogue_items < 2)
    fail(ErrorKind::input, "the catalogue holds one item: there is nothing to choose between");
  const auto item_rows = count(log.item, log.catalogue_items), user_rows = count(log.user, log.users);
  const Popularity popularity(item_rows);

  Diagnosis d;
  d.rows = log.user.size();
  d.users = log.users;
  d.catalogue_items = log.catalogue_items;
  d.clicked_items = popularity.clicked_items();
  d.items_below_5_clicks = popularity.items_below(5);
  d.median_user_rows = median_of_positive(user_rows);
  d.batch = std::min(static_cast<uint64_t>(options.batch), d.rows);
  const BatchShape shape{d.rows, d.batch};
  d.steps = shape.steps();
  d.uniform_count = uniform_count_for(d.catalogue_items);

  d.top_1_share = popularity.head_share(0.01);
  d.top_5_share = popularity.head_share(0.05);
  d.top_20_share = popularity.head_share(0.2);
  d.gini = popularity.gini();
  d.strata = strata_of(popularity, shape, d.uniform_count);
  const double median_columns =
      static_cast<double>(d.batch) * static_cast<double>(popularity.median_of_clicked()) / static_cast<double>(d.rows);
  d.log_q_gap = std::log(d.strata[0].in_batch_columns / median_columns);

  d.items_in_batch = items_in_batch(popularity, shape);
  d.items_absent_epoch = items_absent_from_epoch(popularity, shape);
  d.items_absent_user = items_absent_from_user(popularity, shape, d.median_user_rows);
  // A uniform column is drawn anew in each step in which the user has a row.
  d.items_absent_user_with_uniform =
      d.items_absent_user *
      std::pow(1 - d.chance_by_uniform(), static_cast<double>(std::min(d.median_user_rows, d.steps)));
  measure_hits(log, user_rows, item_rows, d);

  d.effective_items = popularity.effective_items();
  d.in_batch = effective_negatives(popularity, shape, 0);
  d.with_uniform = effective_negatives(popularity, shape, d.uniform_count);
  if (!log.time_us.empty() && d.rows >= 10 * kPeriods)
    d.drift = drift(log.item, log.time_us, log.catalogue_items, kPeriods);

  const double a_column = 3 * static_cast<double>(options.dim);
  d.sampled_cost = a_column * static_cast<double>(d.rows) * static_cast<double>(d.batch + d.uniform_count);
  d.catalogue_cost = a_column * static_cast<double>(d.rows) * static_cast<double>(d.catalogue_items);
  d.catalogue_by_user = a_column * static_cast<double>(d.users) * static_cast<double>(d.catalogue_items);
  const auto steps = [](uint64_t rows) {
    const uint64_t whole = (rows + kCatalogueBatch - 1) / kCatalogueBatch;
    return static_cast<double>(whole);
  };
  d.sampled_encoded = static_cast<double>(d.steps * (d.batch + d.uniform_count));
  d.catalogue_encoded = steps(d.rows) * static_cast<double>(d.catalogue_items);
  d.catalogue_by_user_encoded = steps(d.users) * static_cast<double>(d.catalogue_items);
  return d;
}

}  // namespace pagoda::diagnose
