// Parses one JSON object, a line of a file or a message of a stream, into a row; numbers are exact.
#pragma once

#include <string>
#include <string_view>

#include "text/row.h"

namespace pagoda::text {

class JsonRow : public Row {
 public:
  // False if the line is not a JSON object, or has a key twice: error() says why. NaN and Infinity, which Python writes
  // though they are not JSON, count as null.
  bool parse(std::string_view line);
  const std::string& error() const { return error_; }

  uint64_t not_numbers() const { return not_numbers_; }      // NaN and Infinity in all lines so far
  uint64_t dropped_nulls() const { return dropped_nulls_; }  // nulls in lists, in all lines so far

 private:
  class Events;
  bool parse_strictly(std::string_view line);

  std::string error_, repaired_;
  uint64_t not_numbers_ = 0, dropped_nulls_ = 0;
};

}  // namespace pagoda::text
