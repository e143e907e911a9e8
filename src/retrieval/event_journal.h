// The journal of live events: they outlive the server, and a new bundle.
#pragma once

#include <memory>
#include <span>
#include <string>

#include "core/background.h"
#include "core/line_journal.h"
#include "retrieval/live_events.h"

namespace pagoda::retrieval {

std::string event_journal_path(const std::string& bundle);  // FILE.events

// {"user": ..., "item": ..., "time_us": ..., "event": ..., "context": [[..., ...], ...], "id": ...}, without what is
// empty.
std::string json_of(const LiveEvent& event);
// Error{input}: it is none.
LiveEvent parse_event(std::string_view json);

// A LineJournal with one JSON object an event, in order of arrival. Compaction drops the events that LiveEvents with
// the same options lets go. Not thread-safe, except Compaction::write().
class EventJournal {
 public:
  EventJournal(std::string path, const LiveEventsOptions& options) : lines_(std::move(path)), options_(options) {}

  // Adds the events on disk; removes a torn last line unless another process writes. Error{failed}: a line is not an
  // event.
  void read(LiveEvents& events);

  // Becomes the writer if no other process is. True: it just became the writer, and there is more than was read.
  bool acquire() { return lines_.acquire(); }

  // Appends all events, which are on disk when it returns; or none, with Error{failed}, which is JournalBusy when
  // another process writes.
  void append(std::span<const LiveEvent> events);

  // Whether enough lines are of events that are let go for compaction to pay off.
  bool needs_compaction(size_t events_held) const { return count_ > 2 * events_held + kSlack; }

  // The journal without them, in a new file that is not in place yet.
  class Compaction {
   public:
    Compaction(std::unique_ptr<LineJournal::Compaction> lines, const LiveEventsOptions& options)
        : lines_(std::move(lines)), options_(options) {}
    // On any thread, also while events are appended. Error{failed}.
    void write(BackgroundThrottle* throttle = nullptr);

   private:
    friend class EventJournal;
    std::unique_ptr<LineJournal::Compaction> lines_;
    LiveEventsOptions options_;
    size_t events_ = 0;
  };
  std::unique_ptr<Compaction> start_compaction();  // nullptr: no file, or another process writes
  // Renames it into place, with the events appended since. Does nothing when the journal is another file by now.
  void replace(Compaction& compaction);

 private:
  static constexpr size_t kSlack = 10000;
  LineJournal lines_;
  LiveEventsOptions options_;
  size_t count_ = 0;  // lines
};

}  // namespace pagoda::retrieval
