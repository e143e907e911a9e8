// Where a stream comes from: partitions, each with messages at rising offsets.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "stream/event.h"

namespace pagoda::stream {

// By how much the priority of threads that read is lowered where others learn what they read.
constexpr int kReadingNice = 15;

// Where reading begins in a partition, by the name of the partition.
using Offsets = std::map<std::string, int64_t>;

// One thread at a time calls it.
class Source {
 public:
  virtual ~Source() = default;
  // Begins to read: the partitions named there at their offsets, others as the source was told. Error{failed}: an offset
  // is there no more; reading never begins elsewhere than it was told.
  virtual void start(const Offsets& offsets) = 0;
  // Appends the messages that have come; waits for some up to `wait`. Partitions may be added. Error{failed}: the source
  // is gone for good, as a topic that was deleted.
  virtual void poll(std::chrono::milliseconds wait, std::vector<Message>& messages) = 0;
  // poll() gives no messages of the partitions that are marked there, but for those that have come already, until it is
  // told otherwise. Partitions beyond its end are read.
  virtual void hold(const std::vector<bool>& partitions) = 0;
  // Called in place of poll() while the caller takes no more messages: pauses, and stays in touch with what must be
  // asked every now and then.
  virtual void rest(std::chrono::milliseconds time) { std::this_thread::sleep_for(time); }
  // The offset at which it began to read a partition.
  virtual int64_t begin(uint32_t partition) const = 0;
  // Whether all that a partition held at the last poll() has been given.
  virtual bool at_end(uint32_t partition) const = 0;
  // Messages of all partitions that were not given yet, as far as it is known; of files, bytes.
  virtual int64_t lag() const = 0;
  virtual const std::vector<std::string>& partitions() const = 0;  // their names; a number keeps its name
  // "clicks-0, offset 17", "events/a.jsonl, byte 1024".
  virtual std::string place(uint32_t partition, int64_t offset) const = 0;
  // What was learnt, for tools that look at the lag: no source starts from it. last: waits, a few seconds, until the
  // source knows.
  virtual void committed(const Offsets& offsets, bool last) {}
};

}  // namespace pagoda::stream
