// Splits the rows into those that train, those that choose the model (validation), and those that evaluate it once
// (test).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/option_visitor.h"
#include "data/interactions.h"

namespace pagoda::data {

enum class Part : uint8_t { train, validation, test };

enum class SplitKind {
  time,        // the last `test` of time is test, the `validation` before it is validation, the rest trains
  given,       // `test_files` are the test part; validation is taken from the other files
  leave_last,  // each user's last row is test, the one before it validation (leaks the future across users)
  random,      // each row at random, with the probability of its part
  none,        // nothing is held out: every row trains
};

struct SplitOptions {
  SplitKind kind = SplitKind::random;
  // A duration ("7d") for `time`; a share ("0.1") for `random`, for `given` of each user's list. The default is a
  // share: for `time` it means that the duration is chosen (choose_time_split).
  static constexpr const char* kDefaultShare = "0.1";
  std::string validation = kDefaultShare;
  std::string test = kDefaultShare;
  std::vector<std::string> test_files{};  // for `given`
  int64_t seed = 1;
};

void describe(OptionVisitor& visitor, SplitOptions& options);

// One Part per row. `first_given_test_row`: rows from there on came from test_files (log.size() otherwise).
// Error{usage}: an invalid duration or share, or `time` without a time column. Error{input}: a part is empty (the
// message gives the dates of the log).
//
// time: with T the latest time, test = (T - test, T], validation = (T - test - validation, T - test]. Rows of the same
// moment never fall into two parts. given, leave_last: a user with a single train row keeps it in train. A user's list
// is in order of time; ties, and logs without times, are in file order. The share of rows is rounded. given takes
// validation from the end of each list; at random where the log has no times and the ends are unlike the test part
// (list_order.h). `said` takes a sentence about what was chosen here, if anything was.
std::vector<Part> split(const Interactions& log, const SplitOptions& options, size_t first_given_test_row,
                        std::string* said = nullptr);

}  // namespace pagoda::data
