// What whole files hold, for `pagoda init`: a sample tells what columns are, but not how long a log is.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "data/interner.h"
#include "data/reader.h"

namespace pagoda {

struct LogSurvey {
  uint64_t rows = 0;  // with a user and an item
  uint64_t rows_without_id = 0;
  uint64_t rows_without_time = 0;    // of `rows`, where a time column is named
  uint64_t rows_without_weight = 0;  // of `rows`, where a weight column is named: no number above 0
  Interner users, items;
  std::vector<uint32_t> rows_of_user;
  std::vector<int64_t> time_us;  // sorted
  Notices notices;               // of the reading

  int64_t span_us() const { return time_us.empty() ? 0 : time_us.back() - time_us.front(); }
  double share_of_users_with_several() const;
  // Rows later than `after_us` and not later than `until_us`.
  uint64_t rows_between(int64_t after_us, int64_t until_us) const;
};

// `time` and `weight` may be "". 8 bytes a row of times, and the ids, are held.
LogSurvey survey_log(const ReaderOptions& files, const std::string& user, const std::string& item,
                     const std::string& time, const std::string& weight);

struct TableColumnSurvey {
  std::string name;
  uint64_t known = 0;     // how many of the log's ids stand in it
  uint64_t repeated = 0;  // cells with one of these ids that stood in an earlier row
  uint64_t numbers = 0;
  double mean = 0, deviation = 0, least = 0, most = 0;  // of the numbers
};

struct TableSurvey {
  uint64_t rows = 0;
  std::vector<TableColumnSurvey> columns;
};

TableSurvey survey_table(const ReaderOptions& files, const Interner& ids);

}  // namespace pagoda
