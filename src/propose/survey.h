// What whole files hold, for `pagoda init`: a sample shows what columns are, but not how long a log is.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "columns/interner.h"
#include "formats/reader.h"

namespace pagoda::propose {

struct LogColumns {
  std::string user, item, time, weight, clicked;  // all but the first two: "" where there is none
};

// Whether a column's value depends on the item alone, or on the user alone. Repeats are the non-empty cells whose item
// (user) occurred in an earlier row; changes are those of them with another value than the first.
struct Belonging {
  std::string column;
  uint64_t item_repeats = 0, item_changes = 0, user_repeats = 0, user_changes = 0;
};

struct LogSurvey {
  uint64_t rows = 0;                 // positives with a user and an item
  uint64_t left_out = 0;             // by `where`, and counted in nothing else
  uint64_t shown = 0;                // no positives by `clicked` or `positive`, and counted in nothing else
  uint64_t rows_without_answer = 0;  // neither yes nor no, counted in nothing else
  uint64_t rows_without_id = 0;
  uint64_t rows_without_time = 0;    // of `rows`, where a time column is named
  uint64_t rows_of_bad_clocks = 0;   // of `rows`: their time cannot be (ClockBounds)
  std::string bad_clock;             // the first of them: "clicks.csv:1842: 2099-01-01T00:00:00Z"
  std::string times_said;            // how times are read: "numbers are seconds since 1970"
  std::string open_date;             // "clicks.csv:2: 05/06/2024", where no row tells whether the day comes first
  uint64_t rows_without_weight = 0;  // of `rows`, where a weight column is named: no number above 0
  columns::Interner users, items;
  std::vector<uint32_t> rows_of_user;
  std::vector<int64_t> time_us;        // sorted, without those of bad clocks
  std::vector<uint32_t> user_of_time;  // parallel to time_us
  std::vector<Belonging> belongings;   // of `others`
  columns::Notices notices;            // of the reading

  double share_of_users_with_several() const;
};

struct SurveyOptions {
  LogColumns columns;
  std::vector<std::string> others;  // further columns, whose owner is to be found
  std::string where, positive;      // as of data::InteractionOptions
  columns::TimeForm times;          // how they are written, if that is known
  bool trust_clock = false;
};
// Holds 8 bytes per row for times, the ids, and 4 bytes per id for each other column. Error{usage}: an expression that
// cannot be read.
LogSurvey survey_log(const formats::ReaderOptions& files, const SurveyOptions& options);

struct TableColumnSurvey {
  std::string name;
  uint64_t known = 0;     // how many of the log's ids it contains
  uint64_t repeated = 0;  // cells with one of these ids that stood in an earlier row
  uint64_t numbers = 0;
  double mean = 0, deviation = 0, least = 0, most = 0;  // of the numbers
};

struct TableSurvey {
  uint64_t rows = 0;
  std::vector<TableColumnSurvey> columns;
};

TableSurvey survey_table(const formats::ReaderOptions& files, const columns::Interner& ids);

}  // namespace pagoda::propose
