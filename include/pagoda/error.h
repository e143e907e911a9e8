// What every function of Pagoda throws when it cannot go on.
#pragma once

#include <pagoda/export.h>

#include <stdexcept>
#include <string>
#include <utility>

namespace pagoda {

enum class ErrorKind {
  failed,       // the operation failed: disk full, a damaged bundle              exit code 1
  usage,        // a wrong call, command line or config: an unknown key           exit code 2
  input,        // the data itself is wrong: a missing column, a NaN in a vector  exit code 3
  interrupted,  // you asked for the end: Ctrl-C, SIGTERM, a callback             exit code 130
};

// what() names the thing, the place and the remedy, in one line for a person:
//   clicks.csv:1841: column 'price' is 'N/A', expected a number; set on_bad_row = "skip" to go on
class PAGODA_EXPORT Error : public std::runtime_error {
 public:
  Error(ErrorKind kind, const std::string& message, std::string field = {})
      : std::runtime_error(message), kind_(kind), field_(std::move(field)) {}
  ErrorKind kind() const noexcept { return kind_; }
  // What of a request is wrong: "filter", "requests[3].history"; "" where it is no part of a request, or all of it.
  const std::string& field() const noexcept { return field_; }

 private:
  ErrorKind kind_;
  std::string field_;
};

}  // namespace pagoda
