#include "simulate/frequency_replay.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <nlohmann/json.hpp>
#include <numeric>
#include <span>

#include "core/error.h"
#include "core/file.h"
#include "core/rng.h"
#include "sampling/frequency.h"
#include "simulate/decayed_count_min.h"

namespace pagoda::simulate {

namespace {

constexpr int kDeciles = 10;

// The share of each item in all rows so far; an item not seen yet counts half a row.
class RunningCounts final : public sampling::Frequency {
 public:
  explicit RunningCounts(size_t items) : counts_(items) {}
  void observe(std::span<const uint32_t> items) override {
    for (const uint32_t item : items) ++counts_[item];
    total_ += items.size();
  }
  double log_probability(uint32_t item) const override {
    return std::log(std::max(static_cast<double>(counts_[item]), 0.5) / static_cast<double>(total_));
  }
  sampling::FrequencyClock clock() const override { return sampling::FrequencyClock::example; }
  void save(ByteWriter&) const override { check(false, "running counts are never saved"); }
  void load(ByteReader&) override { check(false, "running counts are never loaded"); }

 private:
  std::vector<uint64_t> counts_;
  uint64_t total_ = 0;
};

struct Estimator {
  ReplayError label{};  // the estimator's fields; the rest is filled in at a checkpoint
  std::unique_ptr<sampling::Frequency> frequency;
};

struct Member {
  uint32_t item;
  double rows;    // of the item in the window
  double weight;  // in the group's mean and median
};
struct Group {
  ReplayGroup kind;
  int decile = 0;
  std::vector<Member> members = {};
  uint32_t cohort = ReplayCohorts::kNone;
};

std::vector<uint32_t> items_in_time_order(const data::Interactions& log) {
  if (!log.has_time() || std::ranges::is_sorted(log.time_us)) return log.item;
  std::vector<uint32_t> order(log.size());
  std::iota(order.begin(), order.end(), 0u);
  std::ranges::stable_sort(order, {}, [&](uint32_t row) { return log.time_us[row]; });
  for (uint32_t& row : order) row = log.item[row];
  return order;
}

// Adds the tenths of the items of a ranked window, or of its rows.
void add_deciles(const std::vector<Member>& ranked, ReplayGroup kind, std::vector<Group>& groups) {
  std::vector<Group> deciles;
  for (int d = 1; d <= kDeciles; ++d) deciles.push_back({kind, d});
  double total = 0, before = 0;
  const auto weight_of = [&](const Member& m) { return kind == ReplayGroup::rows ? m.rows : 1.0; };
  for (const auto& m : ranked) total += weight_of(m);
  for (Member m : ranked) {
    m.weight = weight_of(m);
    const double middle = before + m.weight / 2;
    deciles[static_cast<size_t>(std::min(kDeciles * middle / total, kDeciles - 1.0))].members.push_back(m);
    before += m.weight;
  }
  std::ranges::move(deciles, std::back_inserter(groups));
}

// The groups of the window [begin, end) of `items`; first_row: where an item is first seen in the whole log.
std::vector<Group> groups_of(std::span<const uint32_t> items, size_t begin, size_t end,
                             std::span<const uint64_t> first_row) {
  std::vector<uint32_t> rows(first_row.size());
  for (size_t i = begin; i < end; ++i) ++rows[items[i]];
  std::vector<Member> ranked;
  Group fresh{ReplayGroup::fresh}, gone{ReplayGroup::gone};
  for (uint32_t item = 0; item < rows.size(); ++item) {
    const Member m{item, static_cast<double>(rows[item]), 1.0};
    if (rows[item] > 0) ranked.push_back(m);
    if (rows[item] > 0 && first_row[item] >= begin) fresh.members.push_back(m);
    if (rows[item] == 0 && first_row[item] < begin) gone.members.push_back(m);
  }
  // Ties are broken at random: by number, older items would rank above newer ones of the same count.
  std::ranges::sort(ranked, [](const Member& x, const Member& y) {
    return x.rows != y.rows ? x.rows > y.rows : mix64(x.item) < mix64(y.item);
  });
  std::vector<Group> groups;
  add_deciles(ranked, ReplayGroup::items, groups);
  add_deciles(ranked, ReplayGroup::rows, groups);
  groups.push_back(std::move(fresh));
  groups.push_back(std::move(gone));
  std::erase_if(groups, [](const Group& g) { return g.members.empty(); });
  return groups;
}

// The cohorts with any item in [begin, end).
std::vector<Group> cohorts_of(std::span<const uint32_t> items, size_t begin, size_t end, const ReplayCohorts& cohorts) {
  std::vector<uint32_t> rows(cohorts.of_item.size());
  for (size_t i = begin; i < end; ++i) ++rows[items[i]];
  std::vector<Group> groups;
  for (uint32_t c = 0; c < cohorts.names.size(); ++c) groups.push_back({.kind = ReplayGroup::cohort, .cohort = c});
  for (uint32_t item = 0; item < rows.size(); ++item)
    if (rows[item] > 0 && cohorts.of_item[item] != ReplayCohorts::kNone) {
      const auto n = static_cast<double>(rows[item]);
      groups[cohorts.of_item[item]].members.push_back({item, n, n});
    }
  std::erase_if(groups, [](const Group& group) { return group.members.empty(); });
  return groups;
}

// The least value that half of the weight does not exceed.
double weighted_median(std::vector<std::pair<double, double>> values_and_weights) {
  std::ranges::sort(values_and_weights);
  double total = 0, below = 0;
  for (const auto& [value, weight] : values_and_weights) total += weight;
  for (const auto& [value, weight] : values_and_weights)
    if ((below += weight) >= total / 2) return value;
  return values_and_weights.back().first;
}

ReplayError compare(const Estimator& estimator, const Group& group, double window) {
  ReplayError e = estimator.label;
  e.group = group.kind;
  e.decile = group.decile;
  e.cohort = group.cohort;
  e.items = static_cast<int64_t>(group.members.size());
  double total = 0;
  std::vector<std::pair<double, double>> absolute, ratios;
  for (const auto& m : group.members) {
    const double log_p = estimator.frequency->log_probability(m.item), p = std::exp(log_p), share = m.rows / window;
    e.share += share;
    e.estimated += p;
    if (group.kind == ReplayGroup::gone) continue;
    total += m.weight;
    e.mean_error += m.weight * (p / share - 1);
    e.mean_log_error += m.weight * (log_p - std::log(share));
    absolute.emplace_back(std::abs(p / share - 1), m.weight);
    ratios.emplace_back(p / share, m.weight);
  }
  if (group.kind == ReplayGroup::gone) {
    e.mean_error = e.mean_log_error = e.median_absolute = e.median_ratio = std::numeric_limits<double>::quiet_NaN();
  } else {
    e.mean_error /= total;
    e.mean_log_error /= total;
    e.median_absolute = weighted_median(std::move(absolute));
    e.median_ratio = weighted_median(std::move(ratios));
  }
  return e;
}

std::string number(double x) { return std::isfinite(x) ? fmt::format("{}", x) : "null"; }

std::string line_of(const ReplayError& e, const ReplayCohorts* cohorts) {
  return fmt::format(
      R"({{"estimator": "{}", "learning_rate": {}, "half_life": {}, "hashes": {}, "buckets": {}, "row": {}, )"
      R"("time_us": {}, "group": "{}", "decile": {}, "cohort": {}, "items": {}, "share": {}, "estimated": {}, )"
      R"("mean_error": {}, "mean_log_error": {}, "median_absolute": {}, "median_ratio": {}}})"
      "\n",
      name_of(e.estimator), e.learning_rate, e.half_life, e.hashes, e.buckets, e.row, e.time_us, name_of(e.group),
      e.decile, e.cohort == ReplayCohorts::kNone ? "null" : nlohmann::json(cohorts->names[e.cohort]).dump(), e.items,
      number(e.share), number(e.estimated), number(e.mean_error), number(e.mean_log_error), number(e.median_absolute),
      number(e.median_ratio));
}

void check_replay(const FrequencyReplay& o, size_t rows) {
  if (o.batch < 1 || o.window < 1 || o.every < 0)
    fail(ErrorKind::usage, "simulate replay: batch and window are 1 or more, and every 0 or more");
  if (static_cast<uint64_t>(o.window) > rows)
    fail(ErrorKind::usage, "simulate replay: the window is {} rows and the log only {}; set a shorter window", o.window,
         rows);
}

std::vector<Estimator> make_estimators(const FrequencyReplay& options, size_t items) {
  std::vector<Estimator> estimators;
  estimators.push_back({{}, std::make_unique<RunningCounts>(items)});
  for (const auto kind : {ReplayEstimator::printed, ReplayEstimator::streaming})
    for (const double a : options.learning_rates)
      for (const int64_t m : options.hashes) {
        sampling::FrequencyOptions o;
        o.kind = sampling::FrequencyKind::streaming;
        o.clock = sampling::FrequencyClock::example;
        o.learning_rate = a;
        o.hashes = m;
        o.buckets = m > 0 ? options.buckets / m : 0;
        if (kind == ReplayEstimator::printed) {
          o.initial_gap = static_cast<double>(items);
          o.bias_correction = false;
        }
        Estimator estimator;
        estimator.label.estimator = kind;
        estimator.label.learning_rate = a;
        estimator.label.hashes = m;
        estimator.label.buckets = o.buckets;
        estimator.frequency = sampling::make_streaming(o, static_cast<uint64_t>(options.seed));
        estimators.push_back(std::move(estimator));
      }
  for (const double half_life : options.half_lives)
    for (const int64_t m : options.hashes) {
      constexpr int64_t kCells = 4;  // cells of 4 bytes in the 16 bytes of a bucket
      const int64_t cells = m > 0 ? kCells * options.buckets / m : 0;
      Estimator estimator;
      estimator.label.estimator = ReplayEstimator::count_min;
      estimator.label.half_life = half_life;
      estimator.label.hashes = m;
      estimator.label.buckets = cells;
      estimator.frequency = make_decayed_count_min({.half_life = half_life, .rows = m, .columns = cells},
                                                   static_cast<uint64_t>(options.seed));
      estimators.push_back(std::move(estimator));
    }
  return estimators;
}

}  // namespace

std::string_view name_of(ReplayGroup group) {
  switch (group) {
    case ReplayGroup::items: return "items";
    case ReplayGroup::rows: return "rows";
    case ReplayGroup::fresh: return "fresh";
    case ReplayGroup::gone: return "gone";
    case ReplayGroup::cohort: return "cohort";
  }
  return "";
}

std::string_view name_of(ReplayEstimator estimator) {
  switch (estimator) {
    case ReplayEstimator::counts: return "counts";
    case ReplayEstimator::printed: return "printed";
    case ReplayEstimator::streaming: return "streaming";
    case ReplayEstimator::count_min: return "count_min";
  }
  return "";
}

std::vector<ReplayError> replay_frequency(const data::Interactions& log, const FrequencyReplay& options,
                                          ThreadPool& pool, const std::string& folder, const ReplayCohorts* cohorts) {
  check_replay(options, log.size());
  check(!cohorts || cohorts->of_item.size() == log.items.size(), "the cohorts are of this log's items");
  const auto items = items_in_time_order(log);
  auto times = log.time_us;
  std::ranges::sort(times);
  std::vector<uint64_t> first_row(log.items.size(), UINT64_MAX);
  for (size_t row = items.size(); row-- > 0;) first_row[items[row]] = row;

  auto estimators = make_estimators(options, log.items.size());
  const auto batch = static_cast<size_t>(options.batch), window = static_cast<size_t>(options.window);
  const size_t every = options.every > 0 ? static_cast<size_t>(options.every) : window;
  std::vector<ReplayError> errors;
  std::string lines;
  for (size_t begin = 0, due = window; due <= items.size(); due += every) {
    const size_t end = std::min((due + batch - 1) / batch * batch, items.size());
    if (cohorts && end + window > items.size()) break;
    const auto groups =
        cohorts ? cohorts_of(items, end, end + window, *cohorts) : groups_of(items, end - window, end, first_row);
    std::vector<std::vector<ReplayError>> of_estimator(estimators.size());
    pool.run(estimators.size(), [&](size_t k) {
      auto& estimator = estimators[k];
      for (size_t from = begin; from < end; from += batch)
        estimator.frequency->observe(std::span(items).subspan(from, std::min(batch, end - from)));
      estimator.label.row = static_cast<int64_t>(end);
      estimator.label.time_us = times.empty() ? 0 : times[end - 1];
      for (const auto& group : groups)
        of_estimator[k].push_back(compare(estimator, group, static_cast<double>(window)));
    });
    for (const auto& some : of_estimator)
      for (const auto& e : some) {
        errors.push_back(e);
        lines += line_of(e, cohorts);
      }
    begin = end;
  }
  make_folder(folder);
  write_file(folder + "/replay.jsonl", lines);
  return errors;
}

}  // namespace pagoda::simulate
