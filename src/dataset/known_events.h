// Which of the rows beside the positives may be known in training: nothing may tell of what is held out.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "dataset/dataset.h"

namespace pagoda::dataset {

// With times: rows before the first one that is held out, where the log is cut by time, or else before that user's
// first one. Without: all but those of pairs of user and item that are held out. Rows that came with test files are
// held out like these. What is known without the validation part is known with it, too.
//
// Borrows the log. The numbers of the dataset's catalogue and users may be unsettled yet.
class KnownEvents {
 public:
  KnownEvents(const Dataset& data, const data::OtherRows& rows, bool with_validation);
  bool operator()(size_t row) const;

 private:
  void cut(const Dataset& data, bool with_validation);
  const data::OtherRows& rows_;
  size_t end_;                                       // the first row of the test files
  std::vector<int64_t> before_us_;                   // per user of the rows; empty: without times, or nothing is held
  std::vector<std::pair<uint32_t, uint32_t>> held_;  // pairs in rows that do not train, as numbered in rows_
};

}  // namespace pagoda::dataset
