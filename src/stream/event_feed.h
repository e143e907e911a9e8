// Gives a server the events of a source, so that clicks count in the next answer without a call.
#pragma once

#include <atomic>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "server/event_writer.h"
#include "stream/decoder.h"
#include "stream/source.h"

namespace pagoda::stream {

// Each row of a message counts once: partition, offset and row are the event's id, and the position is written after the events
// were taken. Bad messages are told and left out. What the source throws ends the feed with a warning; the server goes on.
class EventFeed {
 public:
  // As Server::add_events().
  using AddFn =
      std::function<bool(std::vector<retrieval::LiveEvent>, std::function<void(server::EventWriter::Result)>)>;

  // Starts the source where the file `position` says, or, without one, where the source was told; then its thread
  // reads. Borrows the source. Errors of Decoder, Source::start and of a position that cannot be read.
  EventFeed(Source& source, const data::InteractionOptions& log, const train::StreamOptions& stream,
            std::string position, AddFn add);
  ~EventFeed();

 private:
  void run();
  void feed(const std::vector<Message>& messages);
  bool take(const std::vector<retrieval::LiveEvent>& events);
  Source& source_;
  Decoder decoder_;
  std::vector<std::string> context_;  // names
  std::string position_;
  AddFn add_;
  Offsets next_;
  std::atomic<bool> stop_ = false;
  std::thread thread_;
};

}  // namespace pagoda::stream
