// How an operation reports that it cannot continue.
//
// Three cases are kept apart:
//   a bug in Pagoda                 -> check() prints the place and aborts;
//   the operation cannot continue   -> throw Error{kind, message}, which only the CLI and the server catch;
//   an ordinary outcome (a bad row,
//   an unknown id, end of stream)   -> a value.
//
// A message names the thing, the place and the remedy:
//   clicks.csv:1841: column 'price' is 'N/A', expected a number; set on_bad_row = "skip" to go on
#pragma once

#include <fmt/core.h>
#include <pagoda/error.h>  // ErrorKind and Error: what programs that link libpagoda catch is what we throw

#include <source_location>
#include <string_view>
#include <utility>

namespace pagoda {

// The exit status of the process for an error of that kind.
int exit_code(ErrorKind kind);

// fail(ErrorKind::input, "{}: no such file", path) throws an Error.
template <class... Args>
[[noreturn]] void fail(ErrorKind kind, fmt::format_string<Args...> format, Args&&... args) {
  throw Error(kind, fmt::format(format, std::forward<Args>(args)...));
}

[[noreturn]] void check_failed(const char* what, std::source_location where);

// Checks an invariant, which `what` states in words. Aborts if it does not hold, in every build.
inline void check(bool holds, const char* what, std::source_location where = std::source_location::current()) {
  if (!holds) check_failed(what, where);
}

}  // namespace pagoda
