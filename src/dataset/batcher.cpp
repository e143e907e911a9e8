#include "dataset/batcher.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <numeric>

#include "core/error.h"
#include "core/rng.h"
#include "dataset/half_life.h"

namespace pagoda::dataset {

namespace {

constexpr size_t kMaxTargets = 256;  // of one user in one batch

// Latest `k` of `values`, oldest first.
void keep_latest(std::vector<uint32_t>& values, size_t first, size_t k) {
  if (values.size() - first > k)
    values.erase(values.begin() + static_cast<ptrdiff_t>(first), values.end() - static_cast<ptrdiff_t>(k));
}

}  // namespace

Batcher::Batcher(BatchSource source) : source_(std::move(source)) {
  const auto& o = *source_.options;
  const auto& events = *source_.events;
  const bool by_user = o.rows == TrainingRows::user;
  // By time, and by row of the log where times are equal. The rows of most logs are in order of time, and to put events
  // in the order of their rows takes no comparisons.
  const auto in_time = [&](std::vector<uint32_t>& list) {
    constexpr uint32_t kNone = UINT32_MAX;
    std::vector<uint32_t> event_of_row(source_.data->log.size(), kNone);
    for (const uint32_t event : list) event_of_row[events.log_row[event]] = event;
    std::erase(event_of_row, kNone);
    list = std::move(event_of_row);
    const auto time_of = [&](uint32_t event) { return events.time_us[event]; };
    if (!std::ranges::is_sorted(list, {}, time_of)) std::ranges::stable_sort(list, {}, time_of);
  };
  for (uint32_t e = 0; e < events.size(); ++e)
    if (!skipped(e)) examples_.push_back(e);
  if (examples_.empty())
    fail(ErrorKind::input,
         "the log has nothing new to learn: each row is of an item that its user had before; train.repeats = \"learn\" "
         "learns such rows, too");
  for (const uint32_t e : examples_)  // events are in the order of their users
    if (by_user && (users_.empty() || users_.back() != events.user[e])) users_.push_back(events.user[e]);
  const size_t examples = by_user ? users_.size() : examples_.size();
  if (!by_user && o.user_balance != 0) {
    std::vector<uint32_t> examples_of(events.items.size());
    for (const uint32_t e : examples_) ++examples_of[events.user[e]];
    for (const auto n : examples_of)
      balance_.push_back(static_cast<float>(std::pow(std::max<double>(1, n), -o.user_balance)));
  }
  batch_ = std::min(static_cast<size_t>(o.batch), examples);
  // Events left over are met in the next epoch; of users, each is met in every epoch.
  steps_per_epoch_ = by_user ? (examples + batch_ - 1) / batch_
                             : std::max<uint64_t>(1, static_cast<uint64_t>(expected_events()) / batch_);
  if (source_.half_life_us > 0) newest_us_ = *std::ranges::max_element(events.time_us);
  window_us_ = columns::parse_duration_us(o.target_window).value_or(0);
  if (!by_user && o.order == Order::time) in_time(examples_);
  if (by_user && o.targets == Targets::window) {
    by_time_ = std::move(examples_);
    in_time(by_time_);
  }
}

bool Batcher::skipped(uint32_t event) const {
  return source_.skipped && !source_.skipped->empty() && (*source_.skipped)[event];
}

bool Batcher::kept(uint64_t epoch, uint32_t event) const {
  if (skipped(event)) return false;
  return !source_.downsampling || source_.downsampling->kept(epoch, event, source_.events->items.values[event]);
}

// Of an epoch: how many differ a little from one to the next, its steps do not. Those left over are dropped, and where
// some are short the last batch is.
double Batcher::expected_events() const {
  if (!source_.downsampling || !source_.downsampling->active()) return static_cast<double>(examples_.size());
  double sum = 0;
  for (const uint32_t e : examples_) sum += source_.downsampling->probability(source_.events->items.values[e]);
  return sum;
}

std::vector<uint32_t> Batcher::epoch_order(uint64_t epoch) const {
  const auto& o = *source_.options;
  std::vector<uint32_t> order;
  if (o.rows == TrainingRows::user) {
    if (o.targets == Targets::window) return {};
    order = users_;
  } else {
    order = examples_;
  }
  if (o.rows == TrainingRows::interaction) std::erase_if(order, [&](uint32_t event) { return !kept(epoch, event); });
  if (o.rows == TrainingRows::interaction && o.order == Order::time) return order;
  Rng rng(o.seed, Stream::shuffle, epoch);
  if (o.order == Order::sequences)
    shuffle_sequences(rng, order);
  else
    rng.shuffle(std::span(order));
  return order;
}

// Of a long list, histories begin at steps of half their length, so that rows of one step share their beginning: each
// has half of what is read at least.
size_t Batcher::sequence_begin(size_t position) const {
  const size_t longest = source_.encoder->history_length();
  if (source_.options->order != Order::sequences || position <= longest) return 0;
  const size_t step = std::max<size_t>(1, longest / 2);
  return (position - longest + step - 1) / step * step;
}

// `events` in the order of users: those of one user with histories that begin alike stay together.
void Batcher::shuffle_sequences(Rng& rng, std::vector<uint32_t>& events) const {
  const auto& e = *source_.events;
  const auto sequence_of = [&](uint32_t event) {
    const uint32_t user = e.user[event];
    return std::pair(user, sequence_begin(event - e.items.offsets[user]));
  };
  std::vector<std::span<const uint32_t>> sequences;
  for (size_t begin = 0, at = 1; begin < events.size(); ++at)
    if (at == events.size() || sequence_of(events[at]) != sequence_of(events[begin])) {
      sequences.push_back(std::span(events).subspan(begin, at - begin));
      begin = at;
    }
  rng.shuffle(std::span(sequences));
  std::vector<uint32_t> shuffled;
  shuffled.reserve(events.size());
  for (const auto sequence : sequences) shuffled.insert(shuffled.end(), sequence.begin(), sequence.end());
  events = std::move(shuffled);
}

void Batcher::add_event_histories(const TrainBatch& batch, size_t example, math::Ragged<uint32_t>& histories) const {
  const auto& o = *source_.options;
  const bool knows_moments =
      source_.data->log.has_time() && (o.rows == TrainingRows::interaction || o.targets == Targets::window);
  const uint32_t user = batch.users[example];
  const auto targets = batch.positives[example];
  const size_t k = source_.encoder->history_length();
  for (const auto& history : *source_.event_histories) {
    const size_t begin = history.items.offsets[user], first = histories.values.size();
    size_t at = history.items.offsets[user + 1];
    if (knows_moments)
      at = static_cast<size_t>(std::lower_bound(history.time_us.begin() + static_cast<ptrdiff_t>(begin),
                                                history.time_us.begin() + static_cast<ptrdiff_t>(at),
                                                batch.timestamps_us[example]) -
                               history.time_us.begin());
    for (; at > begin && histories.values.size() - first < k; --at) {
      const uint32_t item = history.items.values[at - 1];
      if (knows_moments || !std::ranges::binary_search(targets, item))
        histories.values.push_back(source_.id_row_of_item[item]);
    }
    std::reverse(histories.values.begin() + static_cast<ptrdiff_t>(first), histories.values.end());
    histories.close();
  }
}

// The weight of the log, by the event's age.
double Batcher::weight_of(uint32_t event) const {
  const auto& e = *source_.events;
  const double weight = source_.data->log.weight_of(e.log_row[event]);
  return source_.half_life_us > 0 ? weight * age_weight(newest_us_ - e.time_us[event], source_.half_life_us) : weight;
}

// rows = "interaction": the event's item is the target; the history is what was strictly before it, or all the others.
void Batcher::add_interaction(uint32_t event, TrainBatch& batch, std::vector<uint32_t>& history) const {
  const auto& e = *source_.events;
  const auto& log = source_.data->log;
  const uint32_t user = e.user[event], target = e.items.values[event];
  const size_t begin = e.items.offsets[user], end = e.items.offsets[user + 1], k = source_.encoder->history_length();
  const size_t first = history.size();
  size_t stop = event, start = begin;
  if (source_.options->history == HistoryMode::before) {
    if (log.has_time())  // a row's history is strictly before it: nothing of the same moment
      stop = static_cast<size_t>(std::lower_bound(e.time_us.begin() + static_cast<ptrdiff_t>(begin),
                                                  e.time_us.begin() + event, e.time_us[event]) -
                                 e.time_us.begin());
    start += sequence_begin(stop - begin);
    for (size_t at = stop; at > start && history.size() - first < k; --at)
      if (e.items.values[at - 1] != target) history.push_back(source_.id_row_of_item[e.items.values[at - 1]]);
    std::reverse(history.begin() + static_cast<ptrdiff_t>(first), history.end());
  } else {
    for (size_t at = begin; at < end; ++at)
      if (e.items.values[at] != target) history.push_back(source_.id_row_of_item[e.items.values[at]]);
    keep_latest(history, first, k);
  }
  batch.users.push_back(user);
  batch.positives.push({&target, 1});
  if (source_.options->mask_history_items) {
    const auto had = source_.options->history == HistoryMode::before ? stop : end;
    batch.known.push(std::span(e.items.values).subspan(begin, had - begin));
  }
  batch.weights.push_back(weight_of(event) * (balance_.empty() ? 1.0 : static_cast<double>(balance_[user])));
  batch.timestamps_us.push_back(e.time_us[event]);
}

// Distinct target items of one user, each with the largest weight it was given.
void Batcher::add_targets(std::vector<uint32_t>& events, TrainBatch& batch) const {
  const auto& e = *source_.events;
  std::sort(events.begin(), events.end(),
            [&](uint32_t a, uint32_t b) { return e.items.values[a] < e.items.values[b]; });
  for (size_t i = 0; i < events.size(); ++i) {
    const auto item = e.items.values[events[i]];
    const double age = static_cast<double>(e.items.offsets[e.user[events[i]] + 1] - 1 - events[i]);
    const double weight = weight_of(events[i]) * std::pow(1 + age, -source_.options->target_recency);
    if (i > 0 && e.items.values[events[i - 1]] == item) {
      batch.weights.back() = std::max(batch.weights.back(), weight);
      continue;
    }
    batch.positives.values.push_back(item);
    batch.weights.push_back(weight);
  }
  batch.positives.close();
  const auto n = static_cast<double>(batch.positives[batch.positives.size() - 1].size());
  const double balance = std::pow(n, -source_.options->user_balance);
  for (size_t i = batch.weights.size() - static_cast<size_t>(n); i < batch.weights.size(); ++i)
    batch.weights[i] *= balance;
}

// A random half of the user's events is history, in its order; the other half targets. A single event is a target.
// False when downsampling leaves no target.
bool Batcher::add_half(uint32_t user, uint64_t epoch, TrainBatch& batch, std::vector<uint32_t>& history) const {
  const auto& e = *source_.events;
  const size_t begin = e.items.offsets[user], n = e.items.offsets[user + 1] - begin, first = history.size();
  std::vector<uint32_t> shuffled(n), targets;
  std::iota(shuffled.begin(), shuffled.end(), static_cast<uint32_t>(begin));
  Rng(source_.options->seed, Stream::history, epoch, user).shuffle(std::span(shuffled));
  const size_t n_targets = source_.encoder->history_length() == 0 ? n : (n + 1) / 2;
  targets.assign(shuffled.begin(), shuffled.begin() + static_cast<ptrdiff_t>(n_targets));
  std::vector<uint32_t> rest(shuffled.begin() + static_cast<ptrdiff_t>(n_targets), shuffled.end());
  std::sort(rest.begin(), rest.end());
  std::erase_if(targets, [&](uint32_t event) { return !kept(epoch, event); });
  if (targets.empty()) return false;
  std::vector<uint32_t> target_items;
  for (auto t : targets) target_items.push_back(e.items.values[t]);
  std::sort(target_items.begin(), target_items.end());
  for (auto event : rest)
    if (!std::binary_search(target_items.begin(), target_items.end(), e.items.values[event]))
      history.push_back(source_.id_row_of_item[e.items.values[event]]);
  keep_latest(history, first, source_.encoder->history_length());
  batch.users.push_back(user);
  batch.timestamps_us.push_back(e.time_us[e.items.offsets[user + 1] - 1]);
  add_targets(targets, batch);
  for (auto event : rest) batch.known.values.push_back(e.items.values[event]);
  batch.known.close();
  return true;
}

// History: before the moment. Targets: new items in [moment, moment + window). False when there is none.
bool Batcher::add_window(uint32_t user, int64_t moment, TrainBatch& batch, std::vector<uint32_t>& history) const {
  const auto& e = *source_.events;
  const auto begin = e.time_us.begin() + static_cast<ptrdiff_t>(e.items.offsets[user]);
  const auto end = e.time_us.begin() + static_cast<ptrdiff_t>(e.items.offsets[user + 1]);
  const auto cut = static_cast<uint32_t>(std::lower_bound(begin, end, moment) - e.time_us.begin());
  const auto stop = static_cast<uint32_t>(std::lower_bound(begin, end, moment + window_us_) - e.time_us.begin());
  std::vector<uint32_t> known(e.items.values.begin() + static_cast<ptrdiff_t>(e.items.offsets[user]),
                              e.items.values.begin() + cut),
      targets;
  auto sorted = known;
  std::sort(sorted.begin(), sorted.end());
  for (uint32_t event = cut; event < stop; ++event)
    if (!std::binary_search(sorted.begin(), sorted.end(), e.items.values[event]) && kept(batch.step, event))
      targets.push_back(event);
  if (targets.empty()) return false;
  if (targets.size() > kMaxTargets) {
    Rng(source_.options->seed, Stream::history, batch.step, user).shuffle(std::span(targets));
    targets.resize(kMaxTargets);
  }
  const size_t first = history.size();
  for (auto item : known) history.push_back(source_.id_row_of_item[item]);
  keep_latest(history, first, source_.encoder->history_length());
  batch.users.push_back(user);
  batch.timestamps_us.push_back(moment);
  add_targets(targets, batch);
  batch.known.push(known);
  return true;
}

TrainBatch Batcher::make(uint64_t step, const std::vector<uint32_t>& order) const {
  const auto& o = *source_.options;
  const auto& events = *source_.events;
  const uint64_t epoch = step / steps_per_epoch_;
  const size_t begin = static_cast<size_t>(step % steps_per_epoch_) * batch_;
  TrainBatch batch;
  batch.step = step;
  batch.ends_epoch = (step + 1) % steps_per_epoch_ == 0;
  std::vector<uint32_t> history;  // all examples' histories, one after another
  std::vector<uint64_t> history_ends{0};
  if (o.rows == TrainingRows::user && o.targets == Targets::window) {
    // A moment somewhere in the log (where much happens, more often), then users active in the window after it.
    Rng rng(o.seed, Stream::history, step);
    const auto last_start = events.time_us[by_time_.back()] - window_us_;
    auto usable =
        static_cast<size_t>(std::partition_point(by_time_.begin(), by_time_.end(),
                                                 [&](uint32_t e) { return events.time_us[e] <= last_start; }) -
                            by_time_.begin());
    const int64_t moment = events.time_us[by_time_[rng.below(std::max<size_t>(1, usable))]];
    const auto from =
        std::partition_point(by_time_.begin(), by_time_.end(), [&](uint32_t e) { return events.time_us[e] < moment; });
    const auto to =
        std::partition_point(from, by_time_.end(), [&](uint32_t e) { return events.time_us[e] < moment + window_us_; });
    std::vector<bool> is_active(events.items.size());  // a window holds many rows of the same users: marks, no sort
    for (auto it = from; it != to; ++it) is_active[events.user[*it]] = true;
    std::vector<uint32_t> active;
    for (uint32_t user = 0; user < is_active.size(); ++user)
      if (is_active[user]) active.push_back(user);
    rng.shuffle(std::span(active));
    for (size_t i = 0; i < active.size() && batch.users.size() < batch_; ++i)
      if (add_window(active[i], moment, batch, history)) history_ends.push_back(history.size());
  } else {
    const size_t end = std::min(order.size(), begin + batch_);
    for (size_t i = begin; i < end; ++i) {
      if (o.rows == TrainingRows::interaction)
        add_interaction(order[i], batch, history);
      else if (!add_half(order[i], epoch, batch, history))
        continue;
      history_ends.push_back(history.size());
    }
  }

  const auto& log = source_.data->log;
  const auto& names = source_.encoder->context_names();
  std::vector<std::string_view> context(names.size() * batch.users.size());
  std::vector<features::UserExample> examples(batch.users.size());
  for (size_t c = 0; c < names.size(); ++c) {
    const auto column = static_cast<size_t>(std::find(log.context_names.begin(), log.context_names.end(), names[c]) -
                                            log.context_names.begin());
    for (size_t i = 0; i < examples.size(); ++i) {
      // Of a row: its own context. Of a user with many targets: that of its last event before them.
      uint32_t row = 0;
      if (o.rows == TrainingRows::interaction) {
        row = events.log_row[order[begin + i]];
      } else {
        const auto first = events.items.offsets[batch.users[i]], last = events.items.offsets[batch.users[i] + 1];
        const auto at = static_cast<uint64_t>(std::lower_bound(events.time_us.begin() + static_cast<ptrdiff_t>(first),
                                                               events.time_us.begin() + static_cast<ptrdiff_t>(last),
                                                               batch.timestamps_us[i]) -
                                              events.time_us.begin());
        row = events.log_row[at > first ? at - 1 : first];
      }
      context[i * names.size() + c] = log.context_values[column][log.context[column][row]];
    }
  }
  const size_t kinds = source_.event_histories ? source_.event_histories->size() : 0;
  math::Ragged<uint32_t> event_history;  // per example, per kind
  for (size_t i = 0; i < examples.size() && kinds > 0; ++i) add_event_histories(batch, i, event_history);
  std::vector<std::span<const uint32_t>> of_kinds;
  for (size_t list = 0; list < event_history.size(); ++list) of_kinds.push_back(std::as_const(event_history)[list]);
  for (size_t i = 0; i < examples.size(); ++i)
    examples[i] = {.user = batch.users[i],
                   .history = std::span(history).subspan(history_ends[i], history_ends[i + 1] - history_ends[i]),
                   .event_histories = std::span(of_kinds).subspan(i * kinds, kinds),
                   .context = std::span(context).subspan(i * names.size(), names.size()),
                   .moment_us = batch.timestamps_us[i]};
  source_.encoder->encode(*source_.cells, examples, batch.encoded);
  batch.encoded.successive = o.order == Order::sequences;
  return batch;
}

BatchStream::BatchStream(const Batcher& batcher, uint64_t first_step, uint64_t end_step, size_t ahead) : queue_(ahead) {
  thread_ = std::thread([this, &batcher, first_step, end_step] {
    try {
      std::vector<uint32_t> order;
      uint64_t order_epoch = UINT64_MAX;
      for (uint64_t step = first_step; step < end_step; ++step) {
        if (const auto epoch = step / batcher.steps_per_epoch(); epoch != order_epoch) {
          order = batcher.epoch_order(epoch);
          order_epoch = epoch;
        }
        const auto start = std::chrono::steady_clock::now();
        auto batch = batcher.make(step, order);
        seconds_making_ =
            seconds_making_ + std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
        if (!queue_.push(std::move(batch))) return;
      }
      queue_.close();
    } catch (...) {
      queue_.close(std::current_exception());
    }
  });
}

BatchStream::~BatchStream() {
  queue_.close();
  thread_.join();
}

}  // namespace pagoda::dataset
