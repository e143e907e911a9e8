#include "stream/reading.h"

#include <algorithm>
#include <utility>

#include "core/priority.h"

namespace pagoda::stream {

namespace {

using Clock = std::chrono::steady_clock;
constexpr auto kPoll = std::chrono::milliseconds(100);
constexpr auto kHold = std::chrono::seconds(1);  // what a source has fetched of a partition is lost when it is held

Offsets offsets_of(const Positions& positions) {
  Offsets offsets;
  for (const auto& [name, position] : positions) offsets[name] = position.next;
  return offsets;
}

}  // namespace

Reading::Reading(Source& source, Decoder& decoder, EventOrder& order, ReadingOptions options)
    : source_(source), decoder_(decoder), order_(order), options_(std::move(options)) {
  source_.start(offsets_of(options_.from));
  meet_partitions();
  thread_ = std::thread([this] { run(); });
}

void Reading::stop() {
  stop_ = true;
  if (!thread_.joinable()) return;
  thread_.join();
  if (commit_) source_.committed(*commit_, true);
}

void Reading::rethrow() const {
  std::lock_guard lock(mutex_);
  if (error_) std::rethrow_exception(error_);
}

void Reading::committed(const Positions& positions) {
  std::lock_guard lock(mutex_);
  commit_ = offsets_of(positions);
}

void Reading::run() {
  // Learning comes first. What it leaves free, where a model is written, say, is enough to read ahead; and where nothing
  // can be learnt before more is read, all of it.
  lower_priority(kReadingNice);
  try {
    std::vector<Message> messages;
    while (!stop_ && !ended_) read(messages);
  } catch (...) {
    std::lock_guard lock(mutex_);
    error_ = std::current_exception();
  }
}

void Reading::read(std::vector<Message>& messages) {
  std::optional<Offsets> commit;
  {
    std::lock_guard lock(mutex_);
    std::swap(commit, commit_);
  }
  if (commit) source_.committed(*commit, false);
  const bool full = order_.waiting() >= options_.most_waiting;
  if (full && !order_.wants_more()) {
    rest();
    return;
  }
  choose_held(full);
  source_.hold(held_);
  messages.clear();
  source_.poll(kPoll, messages);
  meet_partitions();
  bool rested = false;
  const auto wait = [&] {
    rest();
    rested = true;
    return !stop_;
  };
  if (!decoder_.prepare(messages, wait)) return;  // stopped: they are read again
  auto decoded = decoder_.decode(messages);
  if (!keep_bad(messages, decoded)) return;  // stopped: they are read again
  order_.add(messages, std::move(decoded));
  for (const auto& message : messages) busy_[message.partition] = Clock::now();
  lag_ = source_.lag();
  if (!rested) note_idle();  // else there may be messages that poll() has not given yet
}

void Reading::rest() {
  source_.rest(kPoll);
  for (uint32_t p = 0; p < busy_.size(); ++p)  // they may have got messages that were not read
    if (!idle_[p]) busy_[p] = Clock::now();
}

// Nothing can be taken before a partition that is behind has come as far as those that are ahead of it. One at its end
// is not held: it brings nothing, and becomes idle in its time.
void Reading::choose_held(bool full) {
  if (!full) return held_.clear();
  bool reads = false;
  for (uint32_t p = 0; p < held_.size(); ++p) reads |= !held_[p] && !source_.at_end(p);
  if (reads && Clock::now() - held_since_ < kHold) return;
  held_ = order_.behind();
  held_.flip();
  for (uint32_t p = 0; p < held_.size(); ++p) held_[p] = held_[p] && !source_.at_end(p);
  held_since_ = Clock::now();
}

// Before they are counted as done. False: it was stopped.
bool Reading::keep_bad(const std::vector<Message>& messages, const std::vector<DecodedMessage>& decoded) {
  std::vector<DeadLetter> letters;
  for (size_t m = 0; options_.dead_letters && m < messages.size(); ++m)
    if (decoded[m].bad > 0)
      letters.push_back({&messages[m], source_.place(messages[m].partition, messages[m].offset), decoded[m].reason});
  return letters.empty() || options_.dead_letters->keep(letters, stop_);
}

void Reading::meet_partitions() {
  for (uint32_t p = static_cast<uint32_t>(busy_.size()); p < source_.partitions().size(); ++p) {
    order_.add_partition(source_.partitions()[p], source_.begin(p));
    busy_.push_back(Clock::now());
    idle_.push_back(false);
  }
}

void Reading::note_idle() {
  bool all = true;
  for (uint32_t p = 0; p < busy_.size(); ++p) {
    const bool at_end = source_.at_end(p);
    if (p < held_.size() && held_[p]) busy_[p] = Clock::now();  // it may have more
    all &= at_end;
    idle_[p] = at_end && Clock::now() - busy_[p] >= options_.idle;
    order_.set_idle(p, idle_[p]);
  }
  if (!options_.once || !all) return;
  order_.end();
  ended_ = true;
}

}  // namespace pagoda::stream
