#include "stream/event_order.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "core/error.h"

namespace pagoda::stream {

EventOrder::EventOrder(OrderOptions options, Standing before)
    : options_(options), standing_(std::move(before)), ready_us_(standing_.learnt_us) {}

void EventOrder::add_partition(const std::string& name, int64_t offset) {
  std::lock_guard lock(mutex_);
  auto& partition = partitions_.emplace_back();
  partition.name = name;
  partition.start.next = partition.next = offset;
  auto& before = standing_.positions;
  if (const auto known = before.find(name); known != before.end()) {
    partition.start = known->second;
    partition.next = partition.start.next;
    partition.newest_us = partition.start.newest_us;
    before.erase(known);
  }
}

void EventOrder::add(const std::vector<Message>& messages, std::vector<DecodedMessage> decoded) {
  std::lock_guard lock(mutex_);
  for (size_t m = 0; m < messages.size(); ++m) add(messages[m], decoded[m]);
  settle();
  changed_.notify_all();
}

void EventOrder::add(const Message& message, DecodedMessage& decoded) {
  auto& partition = partitions_.at(message.partition);
  if (message.offset < partition.start.next) return;
  const auto& done = partition.start.done;
  const auto known = done.lower_bound({message.offset, 0});
  if (known == done.end() || known->first != message.offset) {
    standing_.bad += decoded.bad;
    standing_.not_positive += decoded.not_positive;
  }
  Pending pending{message.offset, partition.newest_us, std::vector<bool>(decoded.rows > 1 ? decoded.rows : 0, true), 0};
  for (auto& event : decoded.events) {
    const bool first = partition.newest_us == INT64_MIN;
    const int64_t earliest = std::max(first ? INT64_MIN : partition.newest_us - options_.lateness_us, ready_us_);
    partition.newest_us = std::max(partition.newest_us, event.time_us);
    if (done.contains({message.offset, event.row})) continue;
    event.key_us = event.time_us;
    if (event.time_us < earliest) {
      if (options_.late == train::LateEvents::drop) {
        ++standing_.late;
        continue;
      }
      event.late = true;  // and counted when it is taken: until then it may be read again
      event.key_us = event.time_us = earliest;
    }
    if (!pending.done.empty()) pending.done[event.row] = false;
    ++pending.left;
    ++open_;
    if (!partition.open.empty() && event < partition.open.back()) {
      strays_.insert(std::move(event));
      continue;
    }
    partition.open.push_back(std::move(event));
    if (partition.open.size() == 1) add_front(partition);
  }
  partition.next = message.next;
  partition.idle = false;
  if (pending.left > 0 || !partition.messages.empty()) partition.messages.push_back(std::move(pending));
}

void EventOrder::set_idle(uint32_t partition, bool idle) {
  std::lock_guard lock(mutex_);
  if (std::exchange(partitions_.at(partition).idle, idle) == idle) return;
  settle();
  changed_.notify_all();
}

void EventOrder::end() {
  std::lock_guard lock(mutex_);
  ended_ = true;
  settle();
  changed_.notify_all();
}

// A partition's next event has at least the key of its watermark, and if no more than that, stands behind what was read.
EventOrder::Place EventOrder::limit() const {
  Place least{INT64_MAX, UINT32_MAX, INT64_MAX, UINT32_MAX};
  if (ended_) return least;
  for (uint32_t p = 0; p < partitions_.size(); ++p) {
    const auto& partition = partitions_[p];
    if (partition.idle) continue;
    if (partition.newest_us == INT64_MIN) return {INT64_MIN, 0, 0, 0};
    least = std::min(least, Place{partition.newest_us - options_.lateness_us, p, partition.next, 0});
  }
  return partitions_.empty() ? Place{INT64_MIN, 0, 0, 0} : least;
}

void EventOrder::add_front(const Partition& partition) {
  fronts_.emplace_back(partition.open.front().place());
  std::ranges::push_heap(fronts_, std::greater());
}

// Moves the events that have their final order.
void EventOrder::settle() {
  const auto end = limit();
  while (!fronts_.empty() || !strays_.empty()) {
    const bool stray = fronts_.empty() || (!strays_.empty() && Place(strays_.begin()->place()) < fronts_.front());
    if (!((stray ? Place(strays_.begin()->place()) : fronts_.front()) < end)) break;
    if (stray) {
      ready_.push_back(std::move(strays_.extract(strays_.begin()).value()));
    } else {
      auto& of = partitions_[std::get<1>(fronts_.front())];
      std::ranges::pop_heap(fronts_, std::greater());
      fronts_.pop_back();
      ready_.push_back(std::move(of.open.front()));
      of.open.pop_front();
      if (!of.open.empty()) add_front(of);
    }
    --open_;
    ready_us_ = std::max(ready_us_, ready_.back().key_us);
  }
  if (ready_.empty())
    ready_since_ = Clock::time_point::max();
  else if (ready_since_ == Clock::time_point::max())
    ready_since_ = Clock::now();
}

std::vector<Event> EventOrder::take(const Wanted& wanted) {
  std::lock_guard lock(mutex_);
  size_t rows = 0, examples = 0, whole = 0;  // whole: rows up to the last whole batch
  for (const auto& event : ready_) {
    if (whole > 0 && rows >= wanted.max_rows) break;
    ++rows;
    examples += !wanted.is_example || wanted.is_example(event);
    if (examples > 0 && examples % wanted.batch == 0) whole = rows;
  }
  if (whole == 0 && wanted.short_too && examples > 0) whole = rows;
  for (size_t row = 0; row < whole; ++row) {
    mark_done(ready_[row]);
    standing_.late += ready_[row].late;
  }
  const auto end = ready_.begin() + static_cast<ptrdiff_t>(whole);
  std::vector<Event> taken(std::move_iterator(ready_.begin()), std::move_iterator(end));
  ready_.erase(ready_.begin(), end);
  if (!taken.empty()) {
    standing_.learnt_us = std::max(standing_.learnt_us, taken.back().key_us);
    wanted_ = 0;
  }
  standing_.events += taken.size();
  ready_since_ = ready_.empty() ? Clock::time_point::max() : Clock::now();
  changed_.notify_all();
  return taken;
}

void EventOrder::mark_done(const Event& event) {
  auto& messages = partitions_[event.partition].messages;
  auto at = messages.begin();  // mostly the one
  if (at == messages.end() || at->offset != event.offset)
    at = std::ranges::lower_bound(messages, event.offset, {}, &Pending::offset);
  check(at != messages.end() && at->offset == event.offset, "an event is of a message that is pending");
  if (!at->done.empty()) at->done[event.row] = true;
  --at->left;
  while (!messages.empty() && messages.front().left == 0) messages.pop_front();
}

void EventOrder::wait(size_t rows, std::chrono::milliseconds time) {
  std::unique_lock lock(mutex_);
  wanted_ = rows;
  changed_.wait_for(lock, time, [&] { return ended_ || ready_.size() >= rows; });
}

bool EventOrder::wants_more() const {
  std::lock_guard lock(mutex_);
  return ready_.size() < wanted_;
}

std::vector<bool> EventOrder::behind() const {
  std::lock_guard lock(mutex_);
  int64_t least = INT64_MAX;
  for (const auto& partition : partitions_)
    if (!partition.idle) least = std::min(least, partition.newest_us);
  std::vector<bool> behind;
  for (const auto& partition : partitions_)
    behind.push_back(least == INT64_MAX || (!partition.idle && partition.newest_us == least));
  return behind;
}

Standing EventOrder::standing() const {
  std::lock_guard lock(mutex_);
  auto out = standing_;
  for (const auto& partition : partitions_) {
    auto& position = out.positions[partition.name];
    const auto& messages = partition.messages;
    position.next = messages.empty() ? partition.next : messages.front().offset;
    position.newest_us = messages.empty() ? partition.newest_us : messages.front().newest_before_us;
    for (const auto& message : messages) {
      if (message.done.empty() && message.left == 0) position.done.insert({message.offset, 0});
      for (uint32_t row = 0; row < message.done.size(); ++row)
        if (message.done[row]) position.done.insert({message.offset, row});
    }
    // Rows that were done before and have not been read again.
    for (const auto& row : partition.start.done)
      if (row.first >= partition.next) position.done.insert(row);
  }
  return out;
}

size_t EventOrder::ready() const {
  std::lock_guard lock(mutex_);
  return ready_.size();
}

size_t EventOrder::waiting() const {
  std::lock_guard lock(mutex_);
  return open_ + ready_.size();
}

int64_t EventOrder::watermark_us() const {
  std::lock_guard lock(mutex_);
  return std::get<0>(limit());
}

std::chrono::milliseconds EventOrder::waited() const {
  std::lock_guard lock(mutex_);
  if (ready_since_ == Clock::time_point::max()) return std::chrono::milliseconds(0);
  return std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - ready_since_);
}

}  // namespace pagoda::stream
