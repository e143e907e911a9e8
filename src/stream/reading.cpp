#include "stream/reading.h"

#include <algorithm>
#include <utility>

#include "core/priority.h"

namespace pagoda::stream {

namespace {

using Clock = std::chrono::steady_clock;
constexpr auto kPoll = std::chrono::milliseconds(100);

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
  std::vector<bool> held;
  if (order_.waiting() >= options_.most_waiting) {
    if (!order_.wants_more()) return source_.rest(kPoll);
    // Nothing can be taken before a partition that is behind has come as far as those that are ahead of it.
    held = order_.behind();
    held.flip();
  }
  source_.hold(held);
  messages.clear();
  source_.poll(kPoll, messages);
  meet_partitions();
  auto decoded = decoder_.decode(messages);
  if (!keep_bad(messages, decoded)) return;  // stopped: they are read again
  order_.add(messages, std::move(decoded));
  for (const auto& message : messages) busy_[message.partition] = Clock::now();
  lag_ = source_.lag();
  note_idle(held);
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
  }
}

void Reading::note_idle(const std::vector<bool>& held) {
  bool all = true;
  for (uint32_t p = 0; p < busy_.size(); ++p) {
    const bool at_end = source_.at_end(p);
    if (p < held.size() && held[p]) busy_[p] = Clock::now();  // it may have more
    all &= at_end;
    order_.set_idle(p, at_end && Clock::now() - busy_[p] >= options_.idle);
  }
  if (!options_.once || !all) return;
  order_.end();
  ended_ = true;
}

}  // namespace pagoda::stream
