#include "retrieval/event_journal.h"

#include <nlohmann/json.hpp>

namespace pagoda::retrieval {
namespace {

using Json = nlohmann::ordered_json;

// Returns the number of lines.
size_t read_into(LiveEvents& events, const std::string& path, std::string_view lines,
                 BackgroundThrottle* throttle = nullptr) {
  return for_each_line(lines, [&](std::string_view line, size_t number) {
    try {
      events.add(parse_event(line));
    } catch (const Error&) {
      fail(ErrorKind::failed,
           "{}:{}: is not an event; remove the line, or move the journal away to start without the users' latest "
           "events",
           path, number);
    }
    yield_to_foreground(throttle);
  });
}

}  // namespace

std::string event_journal_path(const std::string& bundle) { return bundle + ".events"; }

std::string json_of(const LiveEvent& event) {
  Json json{{"user", event.user}, {"item", event.item}, {"time_us", event.time_us}};
  if (!event.kind.empty()) json["event"] = event.kind;
  if (!event.context.empty()) json["context"] = event.context;
  if (!event.id.empty()) json["id"] = event.id;
  return json.dump();
}

LiveEvent parse_event(std::string_view text) {
  try {
    const auto json = Json::parse(text);
    LiveEvent event{.user = json.at("user"), .item = json.at("item"), .time_us = json.at("time_us")};
    if (json.contains("context")) event.context = json.at("context").get<decltype(event.context)>();
    event.kind = json.value("event", "");
    event.id = json.value("id", "");
    if (event.user.empty() || event.item.empty() || !json.at("time_us").is_number_integer() || !fits(event))
      fail(ErrorKind::input, "is not an event: user or item is empty, a text too long, or time_us no whole number");
    return event;
  } catch (const Json::exception& e) {
    fail(ErrorKind::input, "is not an event: {}", e.what());
  }
}

void EventJournal::read(LiveEvents& events) {
  lines_.read([&](std::string_view lines) { count_ = read_into(events, lines_.path(), lines); });
}

void EventJournal::append(std::span<const LiveEvent> events) {
  std::string text;
  for (const auto& event : events) text += json_of(event) + "\n";
  lines_.append(text);
  count_ += events.size();
}

void EventJournal::Compaction::write(BackgroundThrottle* throttle) {
  lines_->write([&](std::string_view before, AtomicFile& out) {
    LiveEvents held(options_);
    read_into(held, lines_->path(), before, throttle);
    for (const auto& event : held.all()) {
      out.write(json_of(event) + "\n");
      yield_to_foreground(throttle);
    }
    events_ = held.counts().events;
  });
}

std::unique_ptr<EventJournal::Compaction> EventJournal::start_compaction() {
  auto lines = lines_.start_compaction();
  return lines ? std::make_unique<Compaction>(std::move(lines), options_) : nullptr;
}

void EventJournal::replace(Compaction& compaction) {
  if (const auto since = lines_.replace(*compaction.lines_)) count_ = compaction.events_ + *since;
}

}  // namespace pagoda::retrieval
