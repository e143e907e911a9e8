// Events of a stream, and where each stands in it.
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <tuple>
#include <vector>

namespace pagoda::stream {

// One message, as its source gave it. Offsets rise within a partition; a file's are bytes.
struct Message {
  uint32_t partition = 0;
  int64_t offset = 0;
  int64_t next = 0;   // where the message after it begins, if there is one
  std::string value;  // its bytes
};

// One row of a message.
struct Event {
  int64_t key_us = 0;  // its place in the order of time: time_us, or later if it came late
  uint32_t partition = 0;
  int64_t offset = 0;  // of its message
  uint32_t row = 0;    // within the message
  std::string user, item;
  int64_t time_us = 0;
  float weight = 1;
  bool late = false;                 // its time was moved
  std::vector<std::string> context;  // per column of data.context

  // The order in which events are learnt: that of time, and of the partition and the offset where times are equal.
  auto place() const { return std::tie(key_us, partition, offset, row); }
  friend bool operator<(const Event& a, const Event& b) { return a.place() < b.place(); }
};

// What a message held.
struct DecodedMessage {
  std::vector<Event> events;           // that can be learnt, in order
  uint32_t rows = 1;                   // in all
  uint32_t bad = 0, not_positive = 0;  // rows that are no events: that cannot be used; that data.where, positive or
                                       // clicked leave out
  std::string reason;                  // why a row is bad; "": none is
};

}  // namespace pagoda::stream
