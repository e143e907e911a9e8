// Merges partitions by event time, so that the same messages are learnt in the same order however they arrive.
//
// Within a partition, times may be out of order by `lateness`. An event that is later than that (its time is below the
// latest time before it in its partition, minus lateness) is late: left out, or moved to that moment. Then no event of a
// partition can come with a key below its watermark, the latest time minus lateness, and events below the watermarks of
// all partitions have their final order. What is late depends on its own partition alone, and not on arrival; but for a
// partition that was idle for so long that the others did not wait for it.
//
// Thread-safe: one thread adds, another takes.
#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "stream/event.h"
#include "train/stream_options.h"

namespace pagoda::stream {

// What has been learnt of one partition: all before `next`, and of what follows the rows in `done`. `newest_us` is the
// latest time before `next`.
struct PartitionPosition {
  int64_t next = 0;
  int64_t newest_us = INT64_MIN;
  std::set<std::pair<int64_t, uint32_t>> done;  // offset, row
};
using Positions = std::map<std::string, PartitionPosition>;

// Where a stream stands: what has been learnt of it, and what it counted on the way.
struct Standing {
  Positions positions;
  int64_t learnt_us = INT64_MIN;  // the key of the last event that was taken
  uint64_t events = 0;            // that were taken
  uint64_t late = 0, bad = 0, not_positive = 0;
};

struct OrderOptions {
  int64_t lateness_us = 0;
  train::LateEvents late = train::LateEvents::drop;
};

class EventOrder {
 public:
  EventOrder(OrderOptions options, Standing before);

  // A partition by its number; numbers rise from 0 in the order of these calls. `offset`: where it begins, if the
  // standing does not know it.
  void add_partition(const std::string& name, int64_t offset = 0);
  // Messages were read; `decoded` is parallel. Those of a partition come in order; rows that were done before are left
  // out, and not counted again.
  void add(const std::vector<Message>& messages, std::vector<DecodedMessage> decoded);
  // Whether the partition has nothing more for now, and the others need not wait for it.
  void set_idle(uint32_t partition, bool idle);
  // No event will come any more: the watermark is the end of time.
  void end();

  struct Wanted {
    size_t batch = 1;        // whole batches of so many examples are taken
    size_t max_rows = 1;     // about so many rows, but at least a batch
    bool short_too = false;  // what there is, if it is no whole batch
    // Whether the event is an example; asked of each in order, from the first. Empty: all are.
    std::function<bool(const Event&)> is_example = {};
  };
  // The next events in order; empty: no whole batch can be cut yet.
  std::vector<Event> take(const Wanted& wanted);
  // Waits until `rows` events are ready, the stream has ended, or the time is over. They are wanted until some are taken.
  void wait(size_t rows, std::chrono::milliseconds time);
  // Whether more events are wanted than are ready.
  bool wants_more() const;
  // Marks the partitions that others wait for, which hold the watermark back; all, if none does.
  std::vector<bool> behind() const;

  // After all that was taken.
  Standing standing() const;
  size_t ready() const;          // events below the watermark, not taken
  size_t waiting() const;        // events that were added and not taken
  int64_t watermark_us() const;  // INT64_MIN: not all partitions have one; INT64_MAX: nobody is waited for
  // How long the first ready event has been ready; 0 without one.
  std::chrono::milliseconds waited() const;

 private:
  using Clock = std::chrono::steady_clock;
  struct Pending {  // a message that is not learnt yet, or stands behind one
    int64_t offset, newest_before_us;
    std::vector<bool> done;  // per row; empty: there is one, and left says it
    uint32_t left;           // rows that are not done
  };
  struct Partition {
    std::string name;
    PartitionPosition start;  // where it was when this object was made
    int64_t next = 0;         // where the next message is expected
    int64_t newest_us = INT64_MIN;
    bool idle = false;
    std::deque<Pending> messages;  // from the first that is not learnt
    std::deque<Event> open;        // each behind the one before it, as nearly all of them come
  };
  using Place = std::tuple<int64_t, uint32_t, int64_t, uint32_t>;
  Place limit() const;  // every event before it is ready
  void add(const Message& message, DecodedMessage& decoded);
  void add_front(const Partition& partition);
  void settle();
  void mark_done(const Event& event);

  OrderOptions options_;
  Standing standing_;  // its positions are of partitions that were not added yet
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Partition> partitions_;
  std::vector<Place> fronts_;  // a heap, the first on top: of partitions with open events, the place of the first
  // Others may still come before these: the open ones of the partitions, and those that stood before one of their own.
  std::set<Event> strays_;
  size_t open_ = 0;  // of both
  std::deque<Event> ready_;
  int64_t ready_us_;  // the key of the last event that was ready, ever
  bool ended_ = false;
  size_t wanted_ = 0;
  Clock::time_point ready_since_ = Clock::time_point::max();
};

}  // namespace pagoda::stream
