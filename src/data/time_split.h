// Where a log is cut in time, so that enough users can be judged on each side.
//
// A user can be judged by a part who has a row in it and a row before it. Days do not tell how many these are: users of
// some logs come back for years, those of others rate for an hour and never return.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>

namespace pagoda::data {

// Rows in any order.
struct TimedRows {
  std::span<const int64_t> time_us;
  std::span<const uint32_t> user;  // parallel, each below `users`
  size_t users = 0;
};

// One part, a stretch of time.
struct TimePart {
  std::string duration;  // "7d"
  int64_t length_us = 0;
  uint64_t rows = 0;
  uint64_t users = 0;  // that can be judged
};
struct TimeSplit {
  TimePart validation, test;
};

// The shortest round durations with a tenth of the users to judge by, 1,000 at least and 5,000 at most, and at most a
// tenth of the rows; of a log of more than sixty days at least a week, as weekdays differ. Where no duration has so
// many users, the one with the most, of up to a fifth of the rows where a tenth leaves fewer than 200. In a log
// without a user who has two rows, nobody can be judged, and rows are counted for users. A duration that is told
// stays. Nothing: no cut leaves rows in all three parts.
std::optional<TimeSplit> choose_time_split(const TimedRows& rows, std::optional<int64_t> validation_us = {},
                                           std::optional<int64_t> test_us = {});

// "12h", "7d": in the largest unit that divides it.
std::string duration_text(int64_t us);

}  // namespace pagoda::data
