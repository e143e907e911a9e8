#include "stream/event_feed.h"

#include <algorithm>
#include <chrono>
#include <future>
#include <limits>
#include <memory>
#include <nlohmann/json.hpp>
#include <utility>

#include "core/file.h"
#include "core/log.h"

namespace pagoda::stream {
namespace {

constexpr std::chrono::milliseconds kFeedPoll{50}, kRetry{500};
constexpr size_t kAtOnce = 1000;  // events

Offsets read_position(const std::string& path) {
  if (!file_exists(path)) return {};
  try {
    return nlohmann::json::parse(read_file(path)).get<Offsets>();
  } catch (const nlohmann::json::exception&) {
    fail(ErrorKind::failed, "{}: is not a position in a stream; remove it to begin where stream.start says", path);
  }
}

// A bad message must not end what runs for months.
data::InteractionOptions forgiving(data::InteractionOptions log) {
  log.bad_rows.on_bad_row = data::OnBadRow::skip;
  log.bad_rows.limit = std::numeric_limits<int64_t>::max();
  return log;
}

}  // namespace

EventFeed::EventFeed(Source& source, const data::InteractionOptions& log, const train::StreamOptions& stream,
                     std::string position, AddFn add)
    : source_(source),
      decoder_(forgiving(log), stream, [this](const Message& m) { return source_.place(m.partition, m.offset); }),
      context_(log.context), position_(std::move(position)), add_(std::move(add)), next_(read_position(position_)) {
  source_.start(next_);
  thread_ = std::thread([this] { run(); });
}

EventFeed::~EventFeed() {
  stop_ = true;
  thread_.join();
}

void EventFeed::run() {
  try {
    std::vector<Message> messages;
    while (!stop_) {
      messages.clear();
      source_.poll(kFeedPoll, messages);
      if (!messages.empty()) feed(messages);
    }
  } catch (const std::exception& e) {
    log_warning("{}; the server goes on without the events of the stream", e.what());
  }
}

void EventFeed::feed(const std::vector<Message>& messages) {
  const auto rest = [this] {
    source_.rest(kRetry);
    return !stop_;
  };
  if (!decoder_.prepare(messages, rest)) return;
  const auto decoded = decoder_.decode(messages);
  std::vector<retrieval::LiveEvent> events;
  for (size_t m = 0; m < messages.size(); ++m) {
    const auto& partition = source_.partitions()[messages[m].partition];
    for (const auto& event : decoded[m].events) {
      retrieval::LiveEvent live{.user = event.user, .item = event.item, .time_us = event.time_us};
      for (size_t c = 0; c < context_.size(); ++c)
        if (!event.context[c].empty()) live.context.emplace_back(context_[c], event.context[c]);
      live.id = fmt::format("{}/{}", partition, event.offset);
      if (event.row > 0) live.id += fmt::format("/{}", event.row);
      if (retrieval::fits(live))
        events.push_back(std::move(live));
      else
        log_warning("{}: a text is longer than {} bytes: left out", source_.place(event.partition, event.offset),
                    retrieval::LiveEvent::kMaxText);
    }
    next_[partition] = messages[m].next;
  }
  for (size_t begin = 0; begin < events.size(); begin += kAtOnce) {
    const auto first = events.begin() + static_cast<ptrdiff_t>(begin);
    if (!take({first, first + static_cast<ptrdiff_t>(std::min(kAtOnce, events.size() - begin))})) return;
  }
  write_file(position_, nlohmann::json(next_).dump() + "\n");
}

// Tries until they are taken. False: it was stopped before.
bool EventFeed::take(const std::vector<retrieval::LiveEvent>& events) {
  while (!stop_) {
    const auto told = std::make_shared<std::promise<server::EventWriter::Result>>();
    if (add_(events, [told](server::EventWriter::Result result) { told->set_value(result); }) &&
        told->get_future().get().outcome == server::EventWriter::Outcome::taken)
      return true;
    source_.rest(kRetry);
  }
  return false;
}

}  // namespace pagoda::stream
