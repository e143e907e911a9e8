// Which rows train, which choose the model (validation) and which judge it once (test).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/option_visitor.h"
#include "data/interactions.h"

namespace pagoda::data {

enum class Part : uint8_t { train, validation, test };

enum class SplitKind {
  time,        // the last `test` of time is test, the `validation` before it validation, what is before trains
  given,       // `test_files` are the test part; validation comes out of the other files
  leave_last,  // each user's last row is test, the one before it validation (leaks the future across users)
  random,      // each row at random, by its share
};

struct SplitOptions {
  SplitKind kind = SplitKind::random;
  // A duration ("7d") for `time`; a share ("0.1") for `random`; for `given` a share of each user's list, its tail.
  std::string validation = "0.1";
  std::string test = "0.1";
  std::vector<std::string> test_files;  // for `given`
  int64_t seed = 1;
};

void describe(OptionVisitor& fields, SplitOptions& options);

// One Part per row. `first_given_test_row`: rows from there on came from test_files (log.size() otherwise).
// Error{usage}: a duration or share that is none, `time` without a time column. Error{input}: a part that comes out
// empty (with the dates at hand).
//
// time: with T the latest time, test = (T - test, T], validation = (T - test - validation, T - test]. Rows of the same
// moment never fall into two parts.
// given, leave_last: a user with a single train row keeps it in train. A user's list is in order of time, ties and logs
// without times by file order; its tail is its rounded share of rows.
std::vector<Part> split(const Interactions& log, const SplitOptions& options, size_t first_given_test_row);

}  // namespace pagoda::data
