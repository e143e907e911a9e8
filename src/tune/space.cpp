#include "tune/space.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <utility>

namespace pagoda::tune {

namespace {

using dataset::Options;
using dataset::TrainingRows;

// More columns than this are not tried as an exact softmax: a step would take too long.
constexpr int64_t kMostCatalogue = 20000;
constexpr int64_t kUniform = 1024;
// An epoch of users has far fewer examples than one of interactions, and would always lose against it.
constexpr int64_t kUserEpochs = 5;

bool is_softmax(const Options& o) { return o.loss.kind == loss::LossKind::sampled_softmax; }
bool is_by_user(const Options& o) { return o.train.rows == TrainingRows::user; }
bool has_times(const Options& o) { return !o.data.time.empty(); }

sampling::NegativesOptions* uniform_of(Options& o) {
  const auto found = std::ranges::find(o.sampling.negatives, "uniform", &sampling::NegativesOptions::source);
  return found == o.sampling.negatives.end() ? nullptr : &*found;
}

std::string sources_text(const std::vector<sampling::NegativesOptions>& sources) {
  std::string text;
  for (const auto& s : sources) text += (text.empty() ? "" : " + ") + s.source;
  return text;
}

// A key of numbers; the value as it stands is among the levels, wherever it lies.
template <class T, class Set>
Key numbers(std::string name, T standing, std::vector<T> values, Set set) {
  Key key{.name = std::move(name), .levels = {}};
  if (std::ranges::find(values, standing) == values.end()) values.push_back(standing);
  std::ranges::sort(values);
  values.erase(std::unique(values.begin(), values.end()), values.end());
  for (const T value : values)
    key.levels.push_back({fmt::format("{}", value), [set, value](Options& o) { set(o, value); }});
  key.standing = static_cast<size_t>(std::ranges::find(values, standing) - values.begin());
  return key;
}

Key flag(std::string name, bool standing, const std::function<void(Options&, bool)>& set) {
  Key key{.name = std::move(name), .levels = {}, .ordered = false, .standing = standing ? 1u : 0u};
  for (const bool value : {false, true})
    key.levels.push_back({value ? "true" : "false", [set, value](Options& o) { set(o, value); }});
  return key;
}

Key rows_key(const Options& base) {
  Key key{.name = "train.rows", .levels = {}, .ordered = false, .standing = is_by_user(base) ? 1u : 0u};
  key.levels.push_back({"interaction", [](Options& o) { o.train.rows = TrainingRows::interaction; }});
  if (base.loss.correction == loss::Correction::leave_one_out) return key;
  if (is_by_user(base))
    key.levels.push_back({"user", [](Options&) {}});
  else
    key.levels.push_back({fmt::format("user, {} times the epochs", kUserEpochs), [](Options& o) {
                            o.train.rows = TrainingRows::user;
                            o.train.epochs *= kUserEpochs;
                            o.train.evaluate_every *= kUserEpochs;
                          }});
  return key;
}

// Which sources there are. Where one of them needs data of its own, such as impressions, it stays as it is.
Key negatives_key(const Options& base, int64_t items) {
  const auto& standing = base.sampling.negatives;
  Key key{.name = "sampling.negatives", .levels = {}, .ordered = false};
  key.levels.push_back({sources_text(standing), [](Options&) {}});
  const std::vector<std::string_view> plain{"in_batch", "uniform", "catalogue", "popularity", "hot"};
  if (!std::ranges::all_of(standing, [&](const auto& s) { return std::ranges::count(plain, s.source) > 0; }))
    return key;
  sampling::NegativesOptions uniform{.source = "uniform", .count = std::min(kUniform, items)};
  for (const auto& s : standing)
    if (s.source == "uniform") uniform = s;
  std::vector<std::vector<sampling::NegativesOptions>> mixtures{{{.source = "in_batch"}, uniform}, {uniform}};
  if (items <= kMostCatalogue && is_softmax(base) && base.loss.correction != loss::Correction::leave_one_out)
    mixtures.push_back({{.source = "catalogue"}});
  for (const auto& mixture : mixtures)
    if (const auto text = sources_text(mixture); text != key.levels[0].text)
      key.levels.push_back({text, [mixture](Options& o) { o.sampling.negatives = mixture; }});
  return key;
}

Key uniform_key(const Options& base, int64_t items) {
  auto copy = base;
  const auto* source = uniform_of(copy);
  const int64_t standing = source ? source->count : std::min(kUniform, items);
  std::vector<int64_t> counts;
  for (const int64_t count : {64, 256, 1024, 4096})
    if (count <= items) counts.push_back(count);
  auto key = numbers<int64_t>("sampling.negatives.uniform.count", standing, counts,
                              [](Options& o, int64_t count) { uniform_of(o)->count = count; });
  key.active = [](const Options& o) {
    auto now = o;
    const auto* uniform = uniform_of(now);
    return uniform && uniform->final_count < 0;
  };
  return key;
}

Key temperature_key(const Options& base) {
  const std::vector<double> values{0.03, 0.05, 0.07, 0.1, 0.15, 0.2, 0.3};
  const auto set = [](Options& o, double value) { o.loss.temperature = value; };
  auto key = numbers<double>("loss.temperature", base.loss.temperature.value_or(values[3]), values, set);
  if (!base.loss.temperature) {
    key.levels.push_back({"learned", [](Options&) {}});
    key.ordered = false;
    key.standing = key.levels.size() - 1;
  }
  return key;
}

std::vector<double> rates(const nn::OptimizerOptions& optimizer) {
  switch (optimizer.kind) {
    case nn::OptimizerKind::adam: return {0.0005, 0.001, 0.002, 0.005, 0.01};
    case nn::OptimizerKind::sgd: break;
    case nn::OptimizerKind::adagrad:
    case nn::OptimizerKind::row_adagrad: return {0.02, 0.05, 0.1, 0.2, 0.5};
  }
  std::vector<double> around;
  for (const double factor : {0.25, 0.5, 1.0, 2.0, 4.0}) around.push_back(optimizer.learning_rate * factor);
  return around;
}

std::vector<Key> history_keys(const Options& base) {
  const auto& history = base.towers.user.history;
  std::vector<Key> keys;
  if (history.last == 0) return keys;
  keys.push_back(numbers<int64_t>("user.history.last", history.last, {10, 20, 50, 100, 200},
                                  [](Options& o, int64_t value) { o.towers.user.history.last = value; }));
  if (has_times(base))
    keys.push_back(numbers<double>("user.history.recency", history.recency, {0, 0.3, 0.5, 1},
                                   [](Options& o, double value) { o.towers.user.history.recency = value; }));
  if (has_times(base)) {
    const bool attends = history.encoder == features::HistoryEncoder::attention;
    Key key{.name = "user.history.encoder", .levels = {}, .ordered = false, .standing = attends ? 1u : 0u};
    key.levels.push_back({"mean", [](Options& o) { o.towers.user.history.encoder = features::HistoryEncoder::mean; }});
    key.levels.push_back({"attention", [](Options& o) {
                            o.towers.user.history.encoder = features::HistoryEncoder::attention;
                            o.train.history = dataset::HistoryMode::before;  // else the latest comes after the target
                          }});
    keys.push_back(std::move(key));
  }
  if (base.towers.item.id.enabled) {
    const bool shared = history.table == features::HistoryTable::shared;
    Key key{.name = "user.history.table", .levels = {}, .ordered = false, .standing = shared ? 1u : 0u};
    for (const auto& [text, table] :
         {std::pair("own", features::HistoryTable::own), std::pair("shared", features::HistoryTable::shared)})
      key.levels.push_back({text, [table = table](Options& o) { o.towers.user.history.table = table; }});
    keys.push_back(std::move(key));
  }
  return keys;
}

}  // namespace

Space::Space(const Options& base, const DataFacts& data) : base_(base) {
  const auto& train = base.train;
  const auto& towers = base.towers;
  const bool corrected =
      base.loss.correction != loss::Correction::none && base.loss.correction != loss::Correction::leave_one_out;
  const bool temperate = loss::reads_temperature(base.loss.kind);
  const auto add = [&](Key key) {
    if (key.levels.size() > 1) keys_.push_back(std::move(key));
  };
  add(rows_key(base));
  if (is_by_user(base) || base.loss.correction != loss::Correction::leave_one_out) {
    auto balance = numbers<double>("train.user_balance", train.user_balance, {0, 0.5, 1},
                                   [](Options& o, double value) { o.train.user_balance = value; });
    add(std::move(balance));
    if (has_times(base)) {
      auto recency = numbers<double>("train.target_recency", train.target_recency, {0, 0.3, 0.6},
                                     [](Options& o, double value) { o.train.target_recency = value; });
      recency.active = is_by_user;
      add(std::move(recency));
    }
  }
  add(negatives_key(base, data.items));
  add(uniform_key(base, data.items));
  if (temperate) add(temperature_key(base));
  if (is_softmax(base) && base.loss.correction != loss::Correction::leave_one_out)
    add(numbers<double>("loss.temperature_ratio", base.loss.ratio(), {1, 1.1, 1.2, 1.3},
                        [](Options& o, double value) { o.loss.temperature_ratio = value; }));
  if (temperate && corrected)
    add(numbers<double>("loss.logq_weight", base.loss.logq_weight, {0.5, 0.75, 1},
                        [](Options& o, double value) { o.loss.logq_weight = value; }));
  add(numbers<double>("train.learning_rate", train.optimizer.learning_rate, rates(train.optimizer),
                      [](Options& o, double value) { o.train.optimizer.learning_rate = value; }));
  add(numbers<double>("train.weight_decay", train.optimizer.weight_decay, {0, 1e-4, 1e-3, 1e-2},
                      [](Options& o, double value) { o.train.optimizer.weight_decay = value; }));
  if (!towers.user.hidden.empty() || !towers.item.hidden.empty())
    add(numbers<double>("model.dropout", towers.model.dropout, {0, 0.1, 0.3},
                        [](Options& o, double value) { o.towers.model.dropout = value; }));
  std::vector<int64_t> batches;
  for (const int64_t batch : {train.batch / 8, train.batch / 4, train.batch / 2, train.batch * 2})
    if (batch >= 16) batches.push_back(batch);
  add(numbers<int64_t>("train.batch", train.batch, batches, [](Options& o, int64_t value) { o.train.batch = value; }));
  const std::vector<int64_t> dims =
      data.items < 1000 ? std::vector<int64_t>{16, 32, 64, 128} : std::vector<int64_t>{32, 64, 128, 256};
  add(numbers<int64_t>("model.dim", towers.model.dim, dims,
                       [](Options& o, int64_t value) { o.towers.model.dim = value; }));
  for (auto& key : history_keys(base)) add(std::move(key));
  // Without an id a user must be known by something else.
  if (towers.user.history.last > 0 || !towers.user.features.empty())
    add(flag("user.id.enabled", towers.user.id.enabled,
             [](Options& o, bool enabled) { o.towers.user.id.enabled = enabled; }));
}

Point Space::standing() const {
  Point point;
  for (const auto& key : keys_) point.push_back(key.standing);
  return point;
}

std::vector<bool> Space::active(const Point& point) const {
  std::vector<bool> active;
  auto now = base_;
  for (size_t k = 0; k < keys_.size(); ++k) {
    active.push_back(keys_[k].active(now));
    if (active.back() && point[k] != keys_[k].standing) keys_[k].levels[point[k]].apply(now);
  }
  return active;
}

Point Space::canonical(const Point& point) const {
  const auto active = this->active(point);
  auto same = point;
  for (size_t k = 0; k < keys_.size(); ++k)
    if (!active[k]) same[k] = keys_[k].standing;
  return same;
}

Options Space::options(const Point& point) const {
  auto options = base_;
  for (size_t k = 0; k < keys_.size(); ++k)
    if (point[k] != keys_[k].standing && keys_[k].active(options)) keys_[k].levels[point[k]].apply(options);
  return options;
}

std::string Space::changes(const Point& point) const {
  const auto active = this->active(point);
  std::vector<std::string> changes;
  for (size_t k = 0; k < keys_.size(); ++k)
    if (active[k] && point[k] != keys_[k].standing)
      changes.push_back(fmt::format("{} = {}", keys_[k].name, keys_[k].levels[point[k]].text));
  return fmt::format("{}", fmt::join(changes, ", "));
}

Point Space::at(const std::vector<double>& unit) const {
  Point point;
  for (size_t k = 0; k < keys_.size(); ++k) {
    const auto others = keys_[k].levels.size() - 1;
    const double above = (unit[k] - kKept) / (1 - kKept);
    const auto other = std::min(others - 1, static_cast<size_t>(std::max(0.0, above) * static_cast<double>(others)));
    point.push_back(above < 0 ? keys_[k].standing : other + (other >= keys_[k].standing ? 1 : 0));
  }
  return point;
}

}  // namespace pagoda::tune
